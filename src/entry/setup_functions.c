/*
 * setup_functions.c — what the configuration functions need C for
 *
 * The PL/pgSQL functions run as the owner of the extension (setup_gate.c), and
 * must not run code of others there.  So the functions below read statuses and
 * check expressions as the owner of the order table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/stable_settings.h"
#include "base/text.h"
#include "base/trigger_call.h"
#include "config/config_table.h"
#include "config/expression.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "rows/column_value.h"

PG_FUNCTION_INFO_V1(ordcancel_as_owner);
PG_FUNCTION_INFO_V1(ordcancel_config_changed);
PG_FUNCTION_INFO_V1(ordcancel_is_record_table);
PG_FUNCTION_INFO_V1(ordcancel_read_status);
PG_FUNCTION_INFO_V1(ordcancel_pin_expression);

/* A search for a table among the record tables. */
typedef struct RecordSearch
{
	Oid	 relid;
	bool found;
} RecordSearch;

static void
match_record_table(HeapTuple row, TupleDesc desc, void *arg)
{
	static const char *const columns[] = {"cancellation_table", "event_table",
										  "records"};
	RecordSearch			*search = arg;

	for (int i = 0; i < lengthof(columns); i++)
	{
		int column = SPI_fnumber(desc, columns[i]);

		if (column > 0 && config_oid(row, desc, column) == search->relid)
			search->found = true;
	}
}

/*
 * Is it, or was it, a record table of an order table?  Looks at what is
 * committed now, not at the transaction's snapshot.
 */
Datum
ordcancel_is_record_table(PG_FUNCTION_ARGS)
{
	RecordSearch search = {PG_GETARG_OID(0), false};

	(void) config_scan("order_table", InvalidOid, match_record_table, &search);
	(void) config_scan_detached(match_record_table, &search);
	PG_RETURN_BOOL(search.found);
}

/* Invalidates what backends have cached from a row of the configuration. */
static void
invalidate_row(Relation config, HeapTuple row)
{
	static const char *const columns[] = {"orders", "items"};
	TupleDesc				 desc = RelationGetDescr(config);
	bool					 any = false;

	for (int i = 0; i < lengthof(columns); i++)
	{
		AttrNumber column = SPI_fnumber(desc, columns[i]);
		Oid		   relid;

		if (column <= 0)
			continue;
		any = true;
		relid = config_oid(row, desc, column);
		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
			CacheInvalidateRelcacheByRelid(relid);
	}

	/* reason and refund_method have caches of their own */
	if (!any)
		CacheInvalidateRelcache(config);
}

/* AFTER trigger on the configuration tables, per row and for TRUNCATE. */
Datum
ordcancel_config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		CacheInvalidateRelcacheAll(); /* TRUNCATE names no rows */
	else
	{
		invalidate_row(trigger->tg_relation, trigger->tg_trigtuple);
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			invalidate_row(trigger->tg_relation, trigger->tg_newtuple);
	}
	return PointerGetDatum(NULL);
}

/*
 * read_status(orders, status): the status as the status column prints it.
 * Raises OC014 if the column cannot hold it.
 */
Datum
ordcancel_read_status(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	OrderTable	 *table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0),
									 AccessShareLock);
	RunAsScope	  scope;
	char		 *status;
	char		 *complaint;
	char *volatile written = NULL;

	status = args_text(fcinfo, 1);
	if (status == NULL)
		PG_RETURN_NULL();
	complaint = psprintf("\"%s\" is not a status of %s", text_clip(status, 80),
						 table->label);
	run_as_owner_restricted(&scope, table);
	PG_TRY();
	{
		written = column_to_text(&table->status,
								 column_from_text(&table->status, status));
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	run_as_end(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(written));
}

/*
 * pin_expression(orders, expression, type, functions): the expression with
 * all names qualified, or with "functions" those that it calls; see
 * expression_pin.  Raises OC014 if it is not valid for the table.
 */
Datum
ordcancel_pin_expression(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	OrderTable	 *table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0),
									 AccessShareLock);
	char		 *expression = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char		 *complaint = psprintf("expression over %s cannot be used: %s",
									   table->label, text_clip(expression, 80));
	RunAsScope	  scope;
	char *volatile pinned = NULL;
	char *functions = NULL;

	if (get_typtype(PG_GETARG_OID(2)) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", PG_GETARG_OID(2))));

	run_as_owner_restricted(&scope, table);
	PG_TRY();
	{
		pinned = expression_pin(table, expression, PG_GETARG_OID(2),
								&functions);
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	run_as_end(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(PG_GETARG_BOOL(3) ? functions : pinned));
}

/*
 * as_owner(orders, query, time_zone): the single value of a query, which runs
 * as the owner of the table, since its types may have code.  The table need
 * not be attached.
 */
Datum
ordcancel_as_owner(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Relation	  rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	char		 *query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char		 *answer = NULL;
	RunAsScope	  scope;
	int			  nest;

	SPI_connect();
	run_as_role_restricted(&scope, rel->rd_rel->relowner);
	nest = safe_search_path_begin();
	(void) stable_settings_begin(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (SPI_execute(query, true, 1) == SPI_OK_SELECT && SPI_processed == 1)
	{
		char *value = SPI_getvalue(SPI_tuptable->vals[0],
								   SPI_tuptable->tupdesc, 1);

		if (value)
			answer = MemoryContextStrdup(caller, value);
	}
	safe_search_path_end(nest);
	run_as_end(&scope);
	SPI_finish();
	table_close(rel, NoLock);
	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(answer));
}
