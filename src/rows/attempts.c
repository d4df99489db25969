/*
 * attempts.c — reads past attempts to cancel orders of a table
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/portal.h"
#include "utils/timestamp.h"

#include "config/run_as.h"
#include "rows/attempts.h"
#include "rows/key.h"
#include "rows/order_row.h"
#include "rows/record.h"
#include "rows/record_open.h"

/* Attempts that are read at once. */
#define FETCH_COUNT 5000

/* The columns of the query for attempts; those of the key follow. */
enum
{
	ATTEMPT_ID = 1,
	ATTEMPT_ORDER,
	ATTEMPT_PARTY,
	ATTEMPT_STATUS,
	ATTEMPT_AT,
	ATTEMPT_WAS,
	ATTEMPT_DUE,
	ATTEMPT_REASON,
	ATTEMPT_OVERRIDE,
	ATTEMPT_KEY,
};

/*
 * The first event says what an attempt led to.  If it was deleted, the record
 * does: as in decision_input_from_target(), it waited unless the same party
 * decided it at the same time.  The reason of the record may have been given
 * later, that of the event was given with the attempt.  What was due may have
 * been adjusted later.
 */
static char *
attempts_sql(const OrderTable *table, bool since)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(
		&sql,
		"SELECT DISTINCT ON (c.cancellation_id)"
		" c.cancellation_id::pg_catalog.int8, c.order_key::pg_catalog.text,"
		" c.requested_by::pg_catalog.text, c.prior_status::pg_catalog.text,"
		" c.requested_at::pg_catalog.timestamptz,"
		" COALESCE(e.state, CASE"
		" WHEN c.decided_at OPERATOR(pg_catalog.=) c.requested_at"
		" AND c.decided_by OPERATOR(pg_catalog.=) c.requested_by"
		" THEN CASE WHEN c.refund_due OPERATOR(pg_catalog.>) 0"
		" THEN 'in_progress' ELSE 'canceled' END"
		" ELSE 'requested' END)::pg_catalog.text,"
		" COALESCE(CASE e.state WHEN 'in_progress' THEN true"
		" WHEN 'canceled' THEN e.data OPERATOR(pg_catalog.?) 'refund_due'"
		" ELSE c.refund_due OPERATOR(pg_catalog.>) 0 END, false),"
		" CASE WHEN e.state IS NULL THEN c.reason ELSE e.reason END IS NOT NULL,"
		" COALESCE(e.source OPERATOR(pg_catalog.=) 'override_cancel', false)");
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, ", c.%s",
						 quote_identifier(table->record_keys[i]));
	appendStringInfo(
		&sql,
		" FROM %s AS c LEFT JOIN %s AS e"
		" ON e.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id"
		" AND e.at OPERATOR(pg_catalog.=) c.requested_at"
		" WHERE c.requested_by OPERATOR(pg_catalog.<>) 'system'"
		" AND c.order_key IS NOT NULL",
		record_table_label(table->cancellation_table),
		record_table_label(table->event_table));
	if (since)
		appendStringInfoString(
			&sql, " AND c.requested_at OPERATOR(pg_catalog.>=) $1");
	appendStringInfoString(&sql, " ORDER BY c.cancellation_id, e.event_id");
	return sql.data;
}

/* Takes an array for each key column. */
static char *
orders_sql(const OrderTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT k.n, o.%s FROM ROWS FROM (",
					 quote_identifier(table->placed_at.name));
	for (int i = 1; i <= table->nkeys; i++)
		appendStringInfo(&sql, "%spg_catalog.unnest($%d)", i > 1 ? ", " : "",
						 i);
	appendStringInfoString(&sql, ") WITH ORDINALITY AS k (");
	for (int i = 1; i <= table->nkeys; i++)
		appendStringInfo(&sql, "k%d, ", i);
	appendStringInfo(&sql, "n) JOIN %s%s AS o ON ", order_only(table),
					 table->label);
	for (int i = 0; i < table->nkeys; i++)
	{
		const Column *key = &table->keys[i];
		Oid			  base = getBaseType(key->type);
		char		 *cast = base == key->type ? "" :
												 psprintf("::%s", key_type_name(base));

		/* A domain over an enum is not coerced to anyenum implicitly. */
		if (i > 0)
			appendStringInfoString(&sql, " AND ");
		generate_operator_clause(
			&sql, psprintf("o.%s%s", quote_identifier(key->name), cast), base,
			key->equal, psprintf("k.k%d%s", i + 1, cast), base);
	}
	return sql.data;
}

static SPIPlanPtr
prepare_find_orders(const OrderTable *table)
{
	Oid		   types[INDEX_MAX_KEYS];
	SPIPlanPtr plan;

	for (int i = 0; i < table->nkeys; i++)
	{
		types[i] = get_array_type(table->keys[i].type);
		if (!OidIsValid(types[i]) || type_is_rowtype(table->keys[i].base))
			ereport(
				ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("cannot find the orders of %s by arrays of their keys",
						table->label),
				 errdetail("Column \"%s\" of the key is an array or a row.",
						   table->keys[i].name)));
	}
	plan = SPI_prepare(orders_sql(table), table->nkeys, types);
	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

static char *
text_value(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = SPI_getbinval(row, desc, column, &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static bool
bool_value(HeapTuple row, TupleDesc desc, int column)
{
	bool isnull;

	return DatumGetBool(SPI_getbinval(row, desc, column, &isnull));
}

static void
read_attempt(Attempt *a, HeapTuple row, TupleDesc desc)
{
	bool isnull;

	memset(a, 0, sizeof(Attempt));
	a->id = DatumGetInt64(SPI_getbinval(row, desc, ATTEMPT_ID, &isnull));
	a->order = text_value(row, desc, ATTEMPT_ORDER);
	party_from_name(text_value(row, desc, ATTEMPT_PARTY), &a->party);
	a->status = text_value(row, desc, ATTEMPT_STATUS);
	a->at = DatumGetTimestampTz(SPI_getbinval(row, desc, ATTEMPT_AT, &isnull));
	state_from_name(text_value(row, desc, ATTEMPT_WAS), &a->was);
	a->money_due = bool_value(row, desc, ATTEMPT_DUE);
	a->reason_given = bool_value(row, desc, ATTEMPT_REASON);
	a->override = bool_value(row, desc, ATTEMPT_OVERRIDE);
}

/* The values of a key column of some attempts. */
static Datum
key_array(SPITupleTable *rows, const int *some, int count, const Column *key,
		  int column)
{
	Datum *values = palloc(count * sizeof(Datum));
	int16  len;
	bool   byval;
	bool   isnull;
	char   align;

	for (int i = 0; i < count; i++)
		values[i] = SPI_getbinval(rows->vals[some[i]], rows->tupdesc, column,
								  &isnull);
	get_typlenbyvalalign(key->type, &len, &byval, &align);
	return PointerGetDatum(
		construct_array(values, count, key->type, len, byval, align));
}

static void
run_find_orders(AttemptReader *reader, Datum *keys)
{
	MemoryContext caller = CurrentMemoryContext;
	RunAsScope	  scope;

	run_as_owner_restricted(&scope, reader->table);
	if (reader->find_orders == NULL)
		reader->find_orders = prepare_find_orders(reader->table);
	if (SPI_execute_plan(reader->find_orders, keys, NULL, true, 0) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not read orders of %s", reader->table->label);
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
}

/* There is a window for customers only. */
static void
read_placed_at(AttemptReader *reader, SPITupleTable *rows)
{
	const OrderTable *table = reader->table;
	int				 *customers = palloc(reader->count * sizeof(int));
	int				  count = 0;
	Datum			  keys[INDEX_MAX_KEYS];

	for (int i = 0; i < reader->count; i++)
		if (reader->attempts[i].party == PARTY_CUSTOMER)
			customers[count++] = i;
	if (count == 0)
		return;
	for (int i = 0; i < table->nkeys; i++)
		keys[i] = key_array(rows, customers, count, &table->keys[i],
							ATTEMPT_KEY + i);
	run_find_orders(reader, keys);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		HeapTuple order = SPI_tuptable->vals[i];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool	  isnull;
		int64	  n = DatumGetInt64(SPI_getbinval(order, desc, 1, &isnull));
		Datum	  placed_at = SPI_getbinval(order, desc, 2, &isnull);

		if (!isnull)
			reader->attempts[customers[n - 1]].placed_at = order_placed_at(
				table, placed_at);
	}
	SPI_freetuptable(SPI_tuptable);
}

void
attempts_begin(AttemptReader *reader, OrderTable *table, bool need_placed_at,
			   NullableDatum since)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			  type = TIMESTAMPTZOID;
	RunAsScope	  scope;

	*reader = (AttemptReader){
		.table = table,
		.need_placed_at = need_placed_at && table->placed_at.attnum,
	};
	run_as_extension_owner(&scope);
	reader->cursor = SPI_cursor_open_with_args(
		NULL, attempts_sql(table, !since.isnull), since.isnull ? 0 : 1, &type,
		&since.value, NULL, true, 0);
	PinPortal(reader->cursor); /* code of the table's owner could close it */
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
}

bool
attempts_next(AttemptReader *reader)
{
	MemoryContext  caller = CurrentMemoryContext;
	SPITupleTable *rows;
	RunAsScope	   scope;

	run_as_extension_owner(&scope);
	SPI_cursor_fetch(reader->cursor, true, FETCH_COUNT);
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
	rows = SPI_tuptable;
	reader->count = SPI_processed;
	reader->attempts = palloc(Max(reader->count, 1) * sizeof(Attempt));
	for (int i = 0; i < reader->count; i++)
		read_attempt(&reader->attempts[i], rows->vals[i], rows->tupdesc);
	if (reader->need_placed_at)
		read_placed_at(reader, rows);
	SPI_freetuptable(rows);
	return reader->count > 0;
}

void
attempts_end(AttemptReader *reader)
{
	UnpinPortal(reader->cursor);
	SPI_cursor_close(reader->cursor);
}
