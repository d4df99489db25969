/*
 * result_row.c — SQL values to and from C, and rows that functions return
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/result_row.h"

char *
nullable_text(Datum value, bool isnull)
{
	return isnull ? NULL : TextDatumGetCString(value);
}

TimestampTz *
nullable_time(Datum value, bool isnull)
{
	TimestampTz *copy;

	if (isnull)
		return NULL;
	copy = palloc(sizeof(TimestampTz));
	*copy = DatumGetTimestampTz(value);
	return copy;
}

Numeric
nullable_numeric(Datum value, bool isnull)
{
	return isnull ? NULL : DatumGetNumericCopy(value);
}

void
result_row_clear(ResultRow *row)
{
	memset(row->nulls, true, row->desc->natts);
	row->next = 0;
}

void
result_row_begin(ResultRow *row, TupleDesc desc)
{
	row->desc = desc;
	row->values = palloc0(desc->natts * sizeof(Datum));
	row->nulls = palloc(desc->natts * sizeof(bool));
	result_row_clear(row);
}

static bool
is_column(const ResultRow *row, int at, const char *column)
{
	return at < row->desc->natts &&
		strcmp(NameStr(TupleDescAttr(row->desc, at)->attname), column) == 0;
}

/* Columns are usually set in their order, so the next one is tried first. */
void
result_row_set(ResultRow *row, const char *column, Datum value, bool isnull)
{
	int at = row->next;

	if (!is_column(row, at, column))
		for (at = 0; at < row->desc->natts; at++)
			if (is_column(row, at, column))
				break;
	if (at == row->desc->natts)
		return;
	row->values[at] = value;
	row->nulls[at] = isnull;
	row->next = at + 1;
}

void
result_row_text(ResultRow *row, const char *column, const char *value)
{
	result_row_set(row, column, value ? CStringGetTextDatum(value) : (Datum) 0,
				   value == NULL);
}

void
result_row_time(ResultRow *row, const char *column, const TimestampTz *value)
{
	result_row_set(row, column,
				   value ? TimestampTzGetDatum(*value) : (Datum) 0,
				   value == NULL);
}

void
result_row_numeric(ResultRow *row, const char *column, Numeric value)
{
	result_row_set(row, column, NumericGetDatum(value), value == NULL);
}

void
result_row_bool(ResultRow *row, const char *column, bool value)
{
	result_row_set(row, column, BoolGetDatum(value), false);
}

Datum
result_row_datum(const ResultRow *row)
{
	return HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(row->desc), row->values, row->nulls));
}
