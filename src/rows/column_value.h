/*
 * column_value.h — values of the order table's columns to and from text
 *
 * Results are in the current memory context, or are the value that was passed.
 */
#ifndef ORDCANCEL_COLUMN_VALUE_H
#define ORDCANCEL_COLUMN_VALUE_H

#include "config/order_table.h"

/* Calls the input function of the column's type, with any error it raises. */
extern Datum column_from_text(const Column *column, const char *text);

/*
 * Converts a value of the given type: as it is if that is the column's type,
 * else through text.
 */
extern Datum column_from_value(const Column *column, Datum value, Oid type);

/* Booleans become true and false; character(n) loses its padding. */
extern char *column_to_text(const Column *column, Datum value);

/* Calls the output function of the type; "unknown" and cstring are text. */
extern char *value_to_text(Datum value, Oid type);

#endif /* ORDCANCEL_COLUMN_VALUE_H */
