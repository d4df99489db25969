/*
 * child_row.h — rows of child tables: expressions over them, the order's key
 *
 * The expressions run as the owner of the child table (run_as_child_owner), and
 * what they return is read as the owner of the order table: a domain in the key
 * of the order may have checks, which are that owner's code.
 */
#ifndef ORDCANCEL_CHILD_ROW_H
#define ORDCANCEL_CHILD_ROW_H

#include "access/htup.h"
#include "utils/relcache.h"

#include "config/child_table.h"
#include "config/order_table.h"

/* A row in the row type of the child table, also if it is in a partition. */
typedef struct ChildRow
{
	Relation  rel; /* the child table */
	HeapTuple row;
} ChildRow;

/* The key of an order, as the row or an expression over it has it. */
typedef struct ChildKey
{
	bool  known; /* no value is null */
	int	  count;
	Datum values[INDEX_MAX_KEYS];
	Oid	  types[INDEX_MAX_KEYS];
} ChildKey;

/* Converts a row of the child table or of a partition of it. */
extern void child_row_init(ChildRow *row, Relation child, Relation written,
						   HeapTuple tuple);

/*
 * Are all columns from which the guard calculates the same in both rows?  Then
 * so are its results.  False if that is not known yet.
 */
extern bool child_row_same_input(const ChildGuard *guard, const ChildRow *a,
								 const ChildRow *b);

/* Is refuse_when true?  OC014 if it is no longer valid. */
extern bool child_row_condition(ChildGuard *guard, const ChildRow *row);

/*
 * Reads the key, or evaluates key_expression.  OC014 if this is no longer
 * possible, 21000 if the expression finds several orders.
 */
extern void child_row_key(ChildGuard *guard, const ChildRow *row,
						  ChildKey *key);

/*
 * Runs a pinned expression on no row: checks that the current role may read the
 * tables in it.
 */
extern void child_row_try(const ChildGuard *guard, Relation rel, char *pinned,
						  char *functions);

extern bool child_key_same(const ChildKey *a, const ChildKey *b);

/*
 * Converts the key for the order table; false if a column is null.  OC014 if
 * the types do not fit.
 */
extern bool child_key_read(const ChildGuard *guard, const ChildRow *row,
						   const ChildKey *given, const OrderTable *table,
						   Datum *key);

/*
 * Raises OC014 unless an expression that returns a value of this type, or a
 * row of these types, can be the key.
 */
extern void child_key_check_types(const char *what, List *types,
								  const OrderTable *table);

#endif /* ORDCANCEL_CHILD_ROW_H */
