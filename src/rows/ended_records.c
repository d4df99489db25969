/*
 * ended_records.c — reads the cancellations that may be old enough to go
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "config/run_as.h"
#include "rows/ended_records.h"
#include "rows/order_row.h"
#include "rows/record.h"
#include "rows/record_open.h"

/* Records that are read at once. */
#define FETCH_COUNT 1000

/* The columns of the query; those of the key follow. */
enum
{
	ENDED_ID = 1,
	ENDED_CANCELED,
	ENDED_COUNTS,
	ENDED_DUE,
	ENDED_UNREAD,
	ENDED_KEY,
};

/*
 * What was paid back is read from undone cancellations, and from events of
 * refunds, by later calls for the order (record_kept_refunds and
 * record_find_refund); so is what has become of the amounts of items that were
 * given back (lifecycle_undone_rest), unless they have just been restored.
 */
static char *
ended_sql(const OrderTable *table)
{
	char		  *events = record_table_label(table->event_table);
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(
		&sql,
		"SELECT c.cancellation_id::pg_catalog.int8, c.state OPERATOR(pg_catalog.=) 'canceled',"
		" COALESCE(c.refunded OPERATOR(pg_catalog.>) 0, false)"
		" OR EXISTS (SELECT FROM ONLY %s AS e"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id"
		" AND e.type OPERATOR(pg_catalog.=) 'refunded')",
		events);
	if (OidIsValid(table->item_records))
		appendStringInfo(
			&sql,
			" OR EXISTS (SELECT FROM ONLY %s AS i"
			" WHERE i.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id"
			" AND i.refund_due IS DISTINCT FROM i.restored)",
			record_table_label(table->item_records));
	appendStringInfo(
		&sql,
		", COALESCE(c.state OPERATOR(pg_catalog.=) 'canceled'"
		" AND c.refund_due OPERATOR(pg_catalog.>) COALESCE(c.refunded, 0), false),"
		" EXISTS (SELECT FROM ONLY %s AS e"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id"
		" AND (e.event_id OPERATOR(pg_catalog.>) $2"
		" OR EXISTS (SELECT FROM ordcancel.late_event AS l"
		" WHERE l.event_id OPERATOR(pg_catalog.=) e.event_id)"
		" OR EXISTS (SELECT FROM ordcancel.consumer AS s"
		" WHERE e.event_id OPERATOR(pg_catalog.=) ANY (s.skipped))))",
		events);
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, ", c.%s",
						 quote_identifier(table->record_keys[i]));
	appendStringInfo(
		&sql,
		" FROM ONLY %s AS c"
		" WHERE c.state OPERATOR(pg_catalog.=)"
		" ANY ('{denied,withdrawn,undone,canceled}'::pg_catalog.text[])"
		" AND c.closed_at OPERATOR(pg_catalog.<) $1",
		record_table_label(table->cancellation_table));
	return sql.data;
}

void
ended_records_begin(EndedReader *reader, OrderTable *table, TimestampTz before,
					int64 settled)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			  types[] = {TIMESTAMPTZOID, INT8OID};
	Datum values[] = {TimestampTzGetDatum(before), Int64GetDatum(settled)};
	RunAsScope scope;

	*reader = (EndedReader){.table = table};
	run_as_extension_owner(&scope);
	reader->cursor = SPI_cursor_open_with_args(NULL, ended_sql(table),
											   lengthof(values), types, values,
											   NULL, true, 0);
	PinPortal(reader->cursor); /* code of the table's owner could close it */
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
}

/* Looks the orders up as the owner of their table. */
static void
find_orders(EndedReader *reader, CancelTarget *targets)
{
	RunAsScope scope;

	if (reader->count == 0)
		return;
	run_as_owner_spi(&scope, reader->table);
	order_read(targets, reader->count, READ_LATEST);
	run_as_end_spi(&scope);
	for (int i = 0; i < reader->count; i++)
		reader->records[i].exists = targets[i].result == TARGET_OPEN;
}

static bool
bool_value(HeapTuple row, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetBool(SPI_getbinval(row, desc, column, &isnull));
}

bool
ended_records_next(EndedReader *reader)
{
	MemoryContext  caller = CurrentMemoryContext;
	OrderTable	  *table = reader->table;
	SPITupleTable *rows;
	CancelTarget  *targets;
	RunAsScope	   scope;

	run_as_extension_owner(&scope);
	SPI_cursor_fetch(reader->cursor, true, FETCH_COUNT);
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
	rows = SPI_tuptable;
	reader->count = SPI_processed;
	reader->records = palloc0(Max(reader->count, 1) * sizeof(EndedRecord));
	targets = palloc0(Max(reader->count, 1) * sizeof(CancelTarget));
	for (int i = 0; i < reader->count; i++)
	{
		EndedRecord *r = &reader->records[i];
		HeapTuple	 row = rows->vals[i];
		bool		 isnull;

		r->id = DatumGetInt64(
			SPI_getbinval(row, rows->tupdesc, ENDED_ID, &isnull));
		r->canceled = bool_value(row, rows->tupdesc, ENDED_CANCELED);
		r->counts = bool_value(row, rows->tupdesc, ENDED_COUNTS);
		r->due = bool_value(row, rows->tupdesc, ENDED_DUE);
		r->unread = bool_value(row, rows->tupdesc, ENDED_UNREAD);
		targets[i].table = table;
		targets[i].key = palloc(table->nkeys * sizeof(Datum));
		for (int k = 0; k < table->nkeys; k++)
			targets[i].key[k] = SPI_getbinval(row, rows->tupdesc,
											  ENDED_KEY + k, &isnull);
	}
	find_orders(reader, targets);
	SPI_freetuptable(rows);
	return reader->count > 0;
}

void
ended_records_end(EndedReader *reader)
{
	UnpinPortal(reader->cursor);
	SPI_cursor_close(reader->cursor);
}
