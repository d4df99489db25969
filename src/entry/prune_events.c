/*
 * prune_events.c — deletes old events
 *
 * prune_events() in SQL decides which.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/timestamp.h"

#include "rows/record.h"
#include "rows/record_delete.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_delete_events);

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
	Oid	   types[] = {TIMESTAMPTZOID, INT8OID};
	Datum  values[] = {PG_GETARG_DATUM(1), PG_GETARG_DATUM(2)};
	char  *label;
	uint64 deleted;

	SPI_connect();
	label = record_table_label(relid);
	deleted = record_delete(
		relid,
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
		lengthof(values), types, values);
	SPI_finish();
	PG_RETURN_INT64((int64) deleted);
}
