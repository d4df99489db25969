/*
 * order_key.h — primary keys of orders: reading, printing, comparing
 *
 * A caller may pass a key as a value of the key column's type, as any type
 * with the same text representation, or as text.  A key of several columns is
 * passed as ROW(…) or as text like '(7,42)'.
 *
 * A key is an array of table->nkeys values.
 */
#ifndef ORDCANCEL_ORDER_KEY_H
#define ORDCANCEL_ORDER_KEY_H

#include "lib/stringinfo.h"

#include "config/order_table.h"

/*
 * Converts a caller's value into a key.  If the value cannot be a key of the
 * table, returns false and sets *why to a sentence for the error's DETAIL.
 * Raises OC002 if an input function rejects the value.
 */
extern bool order_key_read(const OrderTable *table, Datum value, bool isnull,
						   Oid type, Datum *key, char **why);

/*
 * Is the value a call key, the first columns of a key, in a table that has one
 * (attach(call_key))?
 */
extern bool order_key_is_call_key(const OrderTable *table, Datum value,
								  bool isnull, Oid type);

/* As order_key_read, for a call key: table->ncall_keys values. */
extern bool order_call_key_read(const OrderTable *table, Datum value,
								bool isnull, Oid type, Datum *key, char **why);

/*
 * The key as text, like 42 or (7,42), which is stored with the records.  Does
 * not depend on settings such as DateStyle.
 */
extern char *order_key_text(const OrderTable *table, const Datum *key);

/* The value that a caller passed as a key, as text for messages. */
extern char *order_key_given(Datum value, bool isnull, Oid type);

/*
 * Are two keys the same byte by byte?  Equal keys need not be: the records
 * have the key as it was written.
 */
extern bool order_key_same(const OrderTable *table, const Datum *a,
						   const Datum *b);

/* Compares like the primary key index; returns <0, 0 or >0. */
extern int order_key_compare(const OrderTable *table, const Datum *a,
							 const Datum *b);

/*
 * Appends "alias.x = $n AND …" for all key columns.  "names" are the columns'
 * names, NULL for those of the order table; "first" is the number of the first
 * parameter.
 */
extern void order_key_qual(StringInfo sql, const OrderTable *table,
						   const char *alias, char **names, int first);

/* Appends an ORDER BY list that sorts as order_key_compare does. */
extern void order_key_sort(StringInfo sql, const OrderTable *table,
						   const char *alias);

#endif /* ORDCANCEL_ORDER_KEY_H */
