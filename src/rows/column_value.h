/*
 * column_value.h — values of a column to and from text
 */
#ifndef ORDCANCEL_COLUMN_VALUE_H
#define ORDCANCEL_COLUMN_VALUE_H

#include "config/order_table.h"

/* Reads a value with the input function of the column's type; may error. */
extern Datum column_from_text(const Column *column, const char *text);

/* Converts a value of any type, through text where the types differ. */
extern Datum column_from_value(const Column *column, Datum value, Oid type);

extern char *column_to_text(const Column *column, Datum value);

/* A value of any type as text. */
extern char *value_to_text(Datum value, Oid type);

#endif /* ORDCANCEL_COLUMN_VALUE_H */
