/*
 * result_row.h — rows that functions return
 *
 * Also reads nullable values.  A null value is a NULL pointer in C.
 */
#ifndef ORDCANCEL_RESULT_ROW_H
#define ORDCANCEL_RESULT_ROW_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "utils/builtins.h"
#include "utils/numeric.h"
#include "utils/timestamp.h"

/* These copy a value into the current memory context; NULL if it is null. */
extern char		   *nullable_text(Datum value, bool isnull);
extern TimestampTz *nullable_time(Datum value, bool isnull);
extern Numeric		nullable_numeric(Datum value, bool isnull);

/*
 * A row that a function returns.  Columns are found by name, because the
 * install script of another version may declare more or fewer of them: a
 * column that is never set is null, and setting one that does not exist does
 * nothing.
 */
typedef struct ResultColumn
{
	const char *name;
	Oid			type;
} ResultColumn;

typedef struct ResultRow
{
	TupleDesc desc;
	Datum	 *values;
	bool	 *nulls;
	int		 *at; /* the index of each column in the row; -1 if it has none */
} ResultRow;

/*
 * Starts a row with all columns null, in the current memory context.  The
 * functions below identify a column by its index in "columns".  Raises 55000 if
 * the row has a column of that name with another type.
 */
extern void result_row_begin(ResultRow *row, TupleDesc desc,
							 const ResultColumn *columns, int count);

/* Sets all columns to null, for another row. */
extern void result_row_clear(ResultRow *row);

static inline void
result_row_set(ResultRow *row, int column, Datum value, bool isnull)
{
	int at = row->at[column];

	if (at < 0)
		return;
	row->values[at] = value;
	row->nulls[at] = isnull;
}

/* These set a column.  A NULL pointer sets it to null. */
static inline void
result_row_text(ResultRow *row, int column, const char *value)
{
	result_row_set(row, column, value ? CStringGetTextDatum(value) : (Datum) 0,
				   value == NULL);
}

static inline void
result_row_time(ResultRow *row, int column, const TimestampTz *value)
{
	result_row_set(row, column,
				   value ? TimestampTzGetDatum(*value) : (Datum) 0,
				   value == NULL);
}

static inline void
result_row_numeric(ResultRow *row, int column, Numeric value)
{
	result_row_set(row, column, NumericGetDatum(value), value == NULL);
}

static inline void
result_row_bool(ResultRow *row, int column, bool value)
{
	result_row_set(row, column, BoolGetDatum(value), false);
}

/* The row as a composite Datum, in the current memory context. */
extern Datum result_row_datum(const ResultRow *row);

#endif /* ORDCANCEL_RESULT_ROW_H */
