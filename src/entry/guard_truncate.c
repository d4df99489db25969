/*
 * guard_truncate.c — TRUNCATE of an order table
 */
#include "postgres.h"

#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/rel.h"

#include "base/trigger_call.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/guard_truncate.h"
#include "rows/archive.h"
#include "rows/record.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_truncate);

/* The record table that ordcancel is truncating. */
static Oid being_truncated = InvalidOid;

bool
guard_truncate_is_ours(Oid relid)
{
	return OidIsValid(being_truncated) && relid == being_truncated;
}

static void
execute(const char *statement, int expected)
{
	int result = SPI_execute(statement, false, 1);

	if (result != expected)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

static void
truncate_one(Oid relid)
{
	char *statement = psprintf("TRUNCATE ONLY %s", record_table_label(relid));

	PG_TRY();
	{
		being_truncated = relid;
		execute(statement, SPI_OK_UTILITY);
	}
	PG_FINALLY();
	{
		being_truncated = InvalidOid;
	}
	PG_END_TRY();
}

/* With its archives. */
static void
truncate_record_table(Oid relid)
{
	ListCell *lc;

	foreach(lc, archive_tables(relid))
	{
		truncate_one(lfirst_oid(lc));
	}
	truncate_one(relid);
}

static bool
has_records(const OrderTable *table)
{
	execute(psprintf("SELECT FROM %s",
					 record_table_label(table->cancellation_table)),
			SPI_OK_SELECT);
	return SPI_processed > 0;
}

/*
 * Truncates the record tables of an attached table.  A partition may be
 * truncated only if there are no records, since those of its orders would be
 * left.  PostgreSQL fires the trigger of a partitioned table before those of
 * its partitions, which then find no records.  Returns false if refused.
 */
static bool
truncate_records(const OrderTable *table, Oid truncated)
{
	RunAsScope scope;
	bool	   allowed = true;

	SPI_connect();
	run_as_extension_owner(&scope);
	if (truncated == table->relid)
	{
		if (OidIsValid(table->item_records))
			truncate_record_table(table->item_records);
		truncate_record_table(table->event_table);
		truncate_record_table(table->cancellation_table);
	}
	else
		allowed = !has_records(table);
	run_as_end(&scope);
	SPI_finish();
	return allowed;
}

/* BEFORE TRUNCATE of an order table or a partition of it. */
Datum
ordcancel_guard_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	Relation	 rel = trigger->tg_relation;
	OrderTable	*table;

	if (guc_allow_truncate && TRIGGER_FIRED_BY_TRUNCATE(trigger->tg_event))
	{
		table = order_table_of(rel);
		if (table == NULL)
			refusal_raise_not_attached(RelationGetRelid(rel));
		else if (truncate_records(table, RelationGetRelid(rel)))
			return PointerGetDatum(NULL);
	}
	ereport(
		ERROR,
		(errcode(ERRCODE_CHECK_VIOLATION),
		 errmsg("cannot truncate \"%s\"", RelationGetRelationName(rel)),
		 errdetail(
			 "The table is attached to ordcancel, and TRUNCATE would bypass its rules."),
		 guc_allow_truncate ?
			 errhint("Truncate the partitioned table instead.") :
			 errhint(
				 "Use DELETE for orders whose rules allow it. "
				 "In a test database, a superuser can set \"ordcancel.allow_truncate\". "
				 "ordcancel.detach() also removes the rules."),
		 errtableconstraint(
			 rel, condition_name(CONDITION_CANCELLATION_FORBIDDEN))));
}
