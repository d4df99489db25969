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
#include "rows/record_read.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_truncate);

/* The record table that is being emptied here, if one is. */
static Oid emptied = InvalidOid;

bool
guard_truncate_is_ours(Oid relid)
{
	return OidIsValid(emptied) && relid == emptied;
}

static void
execute(const char *statement, int matches)
{
	int result = SPI_execute(statement, false, 1);

	if (result != matches)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
}

static void
empty_records(Oid relid)
{
	char *statement = psprintf("TRUNCATE ONLY %s", record_table_label(relid));

	PG_TRY();
	{
		emptied = relid;
		execute(statement, SPI_OK_UTILITY);
	}
	PG_FINALLY();
	{
		emptied = InvalidOid;
	}
	PG_END_TRY();
}

static bool
has_records(const OrderTable *table)
{
	execute(psprintf("SELECT FROM ONLY %s",
					 record_table_label(table->cancellation_table)),
			SPI_OK_SELECT);
	return SPI_processed > 0;
}

/*
 * The table comes before its partitions when it is truncated, so they find no
 * records; a partition alone must not leave records of orders that are gone.
 * Returns whether that is so.
 */
static bool
empty_with(const OrderTable *table, Oid truncated)
{
	RunAsScope scope;
	bool	   done = true;

	SPI_connect();
	run_as_extension_owner(&scope);
	if (truncated == table->relid)
	{
		empty_records(table->event_table);
		empty_records(table->cancellation_table);
	}
	else
		done = !has_records(table);
	run_as_end(&scope);
	SPI_finish();
	return done;
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
		else if (empty_with(table, RelationGetRelid(rel)))
			return PointerGetDatum(NULL);
	}
	ereport(
		ERROR,
		(errcode(ERRCODE_CHECK_VIOLATION),
		 errmsg("cannot truncate \"%s\"", RelationGetRelationName(rel)),
		 errdetail(
			 "It is under the rules of ordcancel; truncating would pass them by."),
		 guc_allow_truncate ?
			 errhint(
				 "Truncate the table that it is a partition of, with all of them.") :
			 errhint(
				 "In a database for tests a superuser can set \"ordcancel.allow_truncate\". "
				 "Elsewhere DELETE what may be deleted; ordcancel.detach() would take away the rules, too."),
		 errtableconstraint(
			 rel, condition_name(CONDITION_CANCELLATION_FORBIDDEN))));
}
