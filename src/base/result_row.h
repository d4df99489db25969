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
 * A row that a function returns.  Its columns are found by name: the script of
 * another version may have declared more of them, or fewer.  A column that is
 * not set is NULL, and so is one that is set to NULL; a column that the row
 * does not have is skipped.
 */
typedef struct ResultRow
{
	TupleDesc desc;
	Datum	 *values;
	bool	 *nulls;
	int		 *at; /* where each of the columns is; -1: nowhere */
} ResultRow;

/* The functions below name a column by its place in "columns". */
extern void result_row_begin(ResultRow *row, TupleDesc desc,
							 const char *const *columns, int count);

/* Sets all columns to NULL, for another row. */
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

extern void result_row_text(ResultRow *row, int column, const char *value);
extern void result_row_time(ResultRow *row, int column,
							const TimestampTz *value);
extern void result_row_numeric(ResultRow *row, int column, Numeric value);
extern void result_row_bool(ResultRow *row, int column, bool value);

/* The row as a composite value. */
extern Datum result_row_datum(const ResultRow *row);

#endif /* ORDCANCEL_RESULT_ROW_H */
