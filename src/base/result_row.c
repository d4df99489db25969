/*
 * result_row.c — rows that functions return
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
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
}

static bool
is_column(TupleDesc desc, int i, const char *name)
{
	return i < desc->natts && !TupleDescAttr(desc, i)->attisdropped &&
		strcmp(NameStr(TupleDescAttr(desc, i)->attname), name) == 0;
}

/* Columns are usually where they are in the list. */
static int
find_column(TupleDesc desc, const ResultColumn *column, int guess)
{
	Form_pg_attribute att;
	int				  attnum = is_column(desc, guess, column->name) ?
					  guess + 1 :
					  SPI_fnumber(desc, column->name);

	if (attnum <= 0)
		return -1;
	att = TupleDescAttr(desc, attnum - 1);
	if (att->atttypid != column->type)
		ereport(
			ERROR,
			(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
			 errmsg("column \"%s\" of the result has type %s instead of %s",
					column->name, format_type_be(att->atttypid),
					format_type_be(column->type)),
			 errdetail(
				 "The SQL objects of extension \"ordcancel\" do not match its library."),
			 errhint("Run ALTER EXTENSION ordcancel UPDATE.")));
	return attnum - 1;
}

void
result_row_begin(ResultRow *row, TupleDesc desc, const ResultColumn *columns,
				 int count)
{
	row->desc = desc;
	row->values = palloc0(desc->natts * sizeof(Datum));
	row->nulls = palloc(desc->natts * sizeof(bool));
	row->at = palloc(count * sizeof(int));
	for (int i = 0; i < count; i++)
		row->at[i] = find_column(desc, &columns[i], i);
	result_row_clear(row);
}

Datum
result_row_datum(const ResultRow *row)
{
	return HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(row->desc), row->values, row->nulls));
}
