/*
 * result_row.c — rows that functions return
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
result_row_begin(ResultRow *row, TupleDesc desc)
{
	row->desc = desc;
	row->values = palloc0(desc->natts * sizeof(Datum));
	row->nulls = palloc(desc->natts * sizeof(bool));
	memset(row->nulls, true, desc->natts);
	row->next = 0;
}

/* Columns are usually set in order, so the search starts at the next one. */
void
result_row_set(ResultRow *row, const char *column, Datum value, bool isnull)
{
	int natts = row->desc->natts;

	for (int i = 0; i < natts; i++)
	{
		int				  at = (row->next + i) % natts;
		Form_pg_attribute att = TupleDescAttr(row->desc, at);

		if (strcmp(NameStr(att->attname), column) == 0)
		{
			row->values[at] = value;
			row->nulls[at] = isnull;
			row->next = at + 1;
			return;
		}
	}
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
