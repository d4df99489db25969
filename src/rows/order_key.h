/*
 * order_key.h — the key of an order, as a caller gives it and as text
 *
 * A caller names an order by anything that reads as its key: the key's own
 * type, another type with the same text, text itself; a key of several
 * columns as ROW(…) or '(…)'.
 */
#ifndef ORDCANCEL_ORDER_KEY_H
#define ORDCANCEL_ORDER_KEY_H

#include "lib/stringinfo.h"

#include "config/order_table.h"

/*
 * Reads a caller's key into values of the key columns' types.  Returns false
 * when no order can have it, and *why says why.  What the type's input
 * function refuses is raised as OC002.
 */
extern bool order_key_read(const OrderTable *table, Datum value, bool isnull,
						   Oid type, Datum *key, char **why);

/* The key as text, the same in every session: 42, or (7,42). */
extern char *order_key_text(const OrderTable *table, const Datum *key);

/* The key as a caller gave it. */
extern char *order_key_given(Datum value, bool isnull, Oid type);

/* The same to the byte: the records show a key as it was written. */
extern bool order_key_same(const OrderTable *table, const Datum *a,
						   const Datum *b);

/* As the primary key orders them: below, equal or above zero. */
extern int order_key_compare(const OrderTable *table, const Datum *a,
							 const Datum *b);

/*
 * Appends "a.x = $n AND …" for the key columns under the given names, the
 * parameters counted from first.
 */
extern void order_key_qual(StringInfo sql, const OrderTable *table,
						   const char *alias, char **names, int first);

/* Appends what ORDER BY needs for the order of order_key_compare. */
extern void order_key_sort(StringInfo sql, const OrderTable *table,
						   const char *alias);

#endif /* ORDCANCEL_ORDER_KEY_H */
