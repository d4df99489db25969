/*
 * result_row.h — SQL values to and from C, and rows that functions return
 */
#ifndef ORDCANCEL_RESULT_ROW_H
#define ORDCANCEL_RESULT_ROW_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"
#include "utils/numeric.h"

/* A column's value as a copy in the current memory context; NULL for NULL. */
extern char		   *nullable_text(Datum value, bool isnull);
extern TimestampTz *nullable_time(Datum value, bool isnull);
extern Numeric		nullable_numeric(Datum value, bool isnull);

/*
 * A row that a function returns.  Columns are set by name: a script of another
 * version may have declared more of them, or fewer.  What is not set is NULL,
 * and so is a value given as NULL; a column that is not there is skipped.
 */
typedef struct ResultRow
{
	TupleDesc desc;
	Datum	 *values;
	bool	 *nulls;
	int		  next; /* the column after the one that was set last */
} ResultRow;

extern void result_row_begin(ResultRow *row, TupleDesc desc);

/* Sets all columns to NULL, for another row. */
extern void result_row_clear(ResultRow *row);

extern void result_row_set(ResultRow *row, const char *column, Datum value,
						   bool isnull);
extern void result_row_text(ResultRow *row, const char *column,
							const char *value);
extern void result_row_time(ResultRow *row, const char *column,
							const TimestampTz *value);
extern void result_row_numeric(ResultRow *row, const char *column,
							   Numeric value);
extern void result_row_bool(ResultRow *row, const char *column, bool value);

/* The row as a composite value. */
extern Datum result_row_datum(const ResultRow *row);

#endif /* ORDCANCEL_RESULT_ROW_H */
