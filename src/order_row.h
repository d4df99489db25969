/*
 * order_row.h — reading and writing the user's order row
 *
 * All of this but order_visible runs as the table's owner.  The caller is
 * connected to SPI.
 */
#ifndef ORDCANCEL_ORDER_ROW_H
#define ORDCANCEL_ORDER_ROW_H

#include "access/htup.h"

#include "order_case.h"

/* Does the current role see every order, so that none has to be looked for? */
extern bool order_sees_all(const OrderTable *table);

/* May the current role see this order?  Errors when it may read none. */
extern bool order_visible(OrderTable *table, const Datum *key);

/* Locks the order and reads it, or only reads it; false: it is not there. */
extern bool order_lock(OrderCase *c);
extern bool order_read(OrderCase *c);

/* Locks it unless somebody else does; false: it is not there, or locked. */
extern bool order_lock_free(OrderCase *c);

/* Takes the order from a row of the attached table's own shape. */
extern void order_from_tuple(OrderCase *c, HeapTuple tuple, TupleDesc desc);

/* Evaluates the blocks and the refund due over the order's row. */
extern void order_facts(OrderCase *c);

/*
 * Gives the order a status.  The guard is told that this one change, and no
 * other, is ours; an error if a trigger made something else of it.
 */
extern void order_write_status(OrderCase *c, const char *status);

/* Is this the change that order_write_status is making? */
extern bool order_write_is_ours(const OrderTable *table, const Datum *key,
								const char *from, const char *to);


#endif /* ORDCANCEL_ORDER_ROW_H */
