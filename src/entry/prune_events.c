/*
 * prune_events.c — deletes old events
 *
 * prune_events() in SQL decides which; this is the only DELETE that the trigger
 * on the record tables lets through.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "entry/prune_events.h"
#include "rows/record.h"

PG_FUNCTION_INFO_V1(ordcancel_delete_events);

/* The event table whose rows ordcancel is deleting. */
static Oid being_pruned = InvalidOid;

bool
prune_events_is_ours(Oid relid)
{
	return OidIsValid(being_pruned) && relid == being_pruned;
}

static uint64
delete_rows(const char *statement, TimestampTz before, int64 settled)
{
	Oid	  types[] = {TIMESTAMPTZOID, INT8OID};
	Datum values[] = {TimestampTzGetDatum(before), Int64GetDatum(settled)};
	int	  result = SPI_execute_with_args(statement, 2, types, values, NULL,
										 false, 0);

	if (result != SPI_OK_DELETE)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

/*
 * delete_events(event_table, before, settled): deletes the events before a
 * time whose IDs are not above "settled".
 *
 * Refunds are kept, and so is the end of a cancellation that had any: whether a
 * refund is repeated, or was kept by the customer, is read from them.  Events
 * that a consumer has set aside, and late ones that one may not have seen, are
 * kept as well.
 */
Datum
ordcancel_delete_events(PG_FUNCTION_ARGS)
{
	Oid	   relid = PG_GETARG_OID(0);
	char  *label;
	uint64 deleted = 0;

	SPI_connect();
	label = record_table_label(relid);
	PG_TRY();
	{
		being_pruned = relid;
		deleted = delete_rows(
			psprintf(
				"DELETE FROM ONLY %s AS e"
				" WHERE e.event_id OPERATOR(pg_catalog.<=) $2"
				" AND e.at OPERATOR(pg_catalog.<) $1"
				" AND e.type OPERATOR(pg_catalog.<>) 'refunded'"
				" AND NOT (e.type OPERATOR(pg_catalog.=) 'undone'"
				" AND EXISTS (SELECT FROM ONLY %s AS r"
				" WHERE r.cancellation_id OPERATOR(pg_catalog.=) e.cancellation_id"
				" AND r.type OPERATOR(pg_catalog.=) 'refunded'))"
				" AND NOT EXISTS (SELECT FROM ordcancel.late_event AS l"
				" WHERE l.event_id OPERATOR(pg_catalog.=) e.event_id)"
				" AND NOT EXISTS (SELECT FROM ordcancel.consumer AS c"
				" WHERE e.event_id OPERATOR(pg_catalog.=) ANY (c.skipped))",
				label, label),
			PG_GETARG_TIMESTAMPTZ(1), PG_GETARG_INT64(2));
	}
	PG_FINALLY();
	{
		being_pruned = InvalidOid;
	}
	PG_END_TRY();
	SPI_finish();
	PG_RETURN_INT64((int64) deleted);
}
