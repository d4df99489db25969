/*
 * order_due.c — finds the orders of a status whose timers may have ended
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/timestamp.h"
#include "utils/typcache.h"

#include "rows/column_value.h"
#include "rows/key.h"
#include "rows/order_due.h"
#include "rows/order_row.h"

/* Rows fetched at once. */
#define FETCH_COUNT 1000

/* How much later a local time may seem than one that is really later. */
#define CLOCK_CHANGE (3 * USECS_PER_HOUR)

/* The column from which timers count; attnum 0 if there is none. */
static const Column *
timer_column(const OrderTable *table)
{
	return table->status_since.attnum ? &table->status_since :
										&table->placed_at;
}

/* The operator with which an index of the column would be searched. */
static void
status_clause(StringInfo sql, const OrderTable *table)
{
	const Column *status = &table->status;
	Oid	  equal = lookup_type_cache(status->base, TYPECACHE_EQ_OPR)->eq_opr;
	char *cast = status->base == status->type ?
		"" :
		psprintf("::%s", key_type_name(status->base));

	generate_operator_clause(sql,
							 psprintf("%s.%s%s", table->alias,
									  quote_identifier(status->name), cast),
							 status->base, equal, psprintf("$1%s", cast),
							 status->base);
}

static char *
due_sql(const OrderTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	order_columns_sql(&sql, table);
	appendStringInfo(&sql, ", %s.tableoid, %s.ctid", table->alias,
					 table->alias);
	appendStringInfo(&sql, " FROM %s%s AS %s WHERE ", order_only(table),
					 table->sql, table->alias);
	status_clause(&sql, table);
	appendStringInfo(&sql, " AND %s.%s OPERATOR(pg_catalog.<=) $2",
					 table->alias,
					 quote_identifier(timer_column(table)->name));
	return sql.data;
}

/* As a value of the column's base type. */
static Datum
latest_value(const OrderTable *table, TimestampTz latest)
{
	Oid	  type = timer_column(table)->base;
	Datum value = TimestampTzGetDatum(latest);

	if (type == TIMESTAMPTZOID)
		return value;
	if (!TIMESTAMP_NOT_FINITE(latest))
		value = TimestampTzGetDatum(latest + CLOCK_CHANGE);
	value = DirectFunctionCall2(timestamptz_zone,
								CStringGetTextDatum(table->time_zone), value);
	return type == DATEOID ? DirectFunctionCall1(timestamp_date, value) :
							 value;
}

bool
order_due_begin(DueSearch *search, OrderTable *table, const char *status,
				TimestampTz latest)
{
	MemoryContext caller = CurrentMemoryContext;
	Oid			  types[2] = {table->status.type, timer_column(table)->base};
	Datum		  values[2];

	search->table = table;
	search->cursor = NULL;
	if (timer_column(table)->attnum == 0)
		return false;
	values[0] = column_from_text(&table->status, status);
	values[1] = latest_value(table, latest);
	search->cursor = SPI_cursor_open_with_args(NULL, due_sql(table), 2, types,
											   values, NULL, true, 0);
	PinPortal(search->cursor); /* code of the table's owner could close it */
	MemoryContextSwitchTo(caller);
	return true;
}

CancelTarget *
order_due_next(DueSearch *search, int *count)
{
	MemoryContext  caller = CurrentMemoryContext;
	int			   columns = ORDER_COLUMNS + search->table->nkeys;
	CancelTarget  *targets;
	SPITupleTable *rows;

	SPI_cursor_fetch(search->cursor, true, FETCH_COUNT);
	MemoryContextSwitchTo(caller);
	rows = SPI_tuptable;
	*count = SPI_processed;
	targets = palloc0(Max(*count, 1) * sizeof(CancelTarget));
	for (int i = 0; i < *count; i++)
	{
		Datum values[ORDER_COLUMNS + INDEX_MAX_KEYS + 2];
		bool  nulls[ORDER_COLUMNS + INDEX_MAX_KEYS + 2];

		for (int j = 0; j < columns + 2; j++)
			values[j] = SPI_getbinval(rows->vals[i], rows->tupdesc, j + 1,
									  &nulls[j]);
		targets[i].table = search->table;
		order_from_columns(&targets[i], values, nulls, values + ORDER_COLUMNS);
		targets[i].place = DatumGetObjectId(values[columns]);
		targets[i].tid = *(ItemPointer) DatumGetPointer(values[columns + 1]);
	}
	SPI_freetuptable(rows);
	return targets;
}

void
order_due_end(DueSearch *search)
{
	if (search->cursor == NULL)
		return;
	UnpinPortal(search->cursor);
	SPI_cursor_close(search->cursor);
	search->cursor = NULL;
}
