/*
 * key.h — keys of several columns: printing, comparing, in SQL
 *
 * A key is an array of one value for each column.  order_key.h is for keys of
 * orders, which callers pass in many ways.
 */
#ifndef ORDCANCEL_KEY_H
#define ORDCANCEL_KEY_H

#include "access/tupdesc.h"
#include "lib/stringinfo.h"

#include "config/order_table.h"

/*
 * The key as text, like 42 or (7,42).  "desc" describes it as a row;
 * has_format: the text of a column depends on settings, so they are fixed.
 */
extern char *key_text(const Column *columns, int count, TupleDesc desc,
					  bool has_format, const Datum *key);

/* Are two keys the same byte by byte? */
extern bool key_same(const Column *columns, int count, const Datum *a,
					 const Datum *b);

/* Compares like the primary key index; returns <0, 0 or >0. */
extern int key_compare(const Column *columns, int count, const Datum *a,
					   const Datum *b);

/* A copy of the key in the current memory context. */
extern Datum *key_copy(const Column *columns, int count, const Datum *key);

/*
 * A type for a cast in SQL: "character" would be character(1), so it is called
 * bpchar.
 */
extern char *key_type_name(Oid base);

/*
 * Appends "alias.x = $n AND …" for all columns.  "names" are the columns'
 * names, NULL for their own; "first" is the number of the first parameter.
 */
extern void key_qual(StringInfo sql, const Column *columns, int count,
					 const char *alias, char **names, int first);

/* Appends an ORDER BY list that sorts as key_compare does. */
extern void key_sort(StringInfo sql, const Column *columns, int count,
					 const char *alias);

#endif /* ORDCANCEL_KEY_H */
