/*
 * also_set.h — columns that are set along with the status of an order
 *
 * also_set() names a column and a value for each state that a cancellation can
 * reach, and for its end.  The rules are part of the OrderTable;
 * rows/order_also_set.c evaluates them.
 */
#ifndef ORDCANCEL_ALSO_SET_H
#define ORDCANCEL_ALSO_SET_H

#include "utils/relcache.h"

#include "config/order_table.h"

/* The names of AlsoSetWhen, as also_set() takes them. */
extern const char *const also_set_names[ALSO_SET_COUNT];

/* Loads the rules of the table into the current memory context. */
extern void also_set_load(OrderTable *table, Relation rel);

/*
 * Says, as a sentence, why the column of the order table cannot be set; NULL
 * if it can.
 */
extern const char *also_set_fault(const OrderTable *table, Relation rel,
								  const char *column);

/* Raises OC014 if a column that is set then can no longer be written. */
extern void also_set_check(const OrderTable *table, AlsoSetWhen when);

#endif /* ORDCANCEL_ALSO_SET_H */
