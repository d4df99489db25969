/*
 * order_row.h — reading and writing the user's order row
 *
 * All of this but visibility_sees_order runs as the table's owner.  The caller is
 * connected to SPI.
 */
#ifndef ORDCANCEL_ORDER_ROW_H
#define ORDCANCEL_ORDER_ROW_H

#include "access/htup.h"

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"

/*
 * These take the cases that are open, all of one table.  One whose order is
 * not there becomes not found.
 *
 * order_lock waits for orders that somebody else has locked, unless they are
 * to be skipped; then they become locked.
 */
extern void order_lock(CancelTarget *targets, int count, bool skip_locked);
extern void order_read(CancelTarget *targets, int count,
					   ReadSnapshot snapshot);

/* Takes the order from a row of the attached table's own shape, which stays. */
extern void order_from_tuple(CancelTarget *c, HeapTuple row, Relation rel);

/*
 * Evaluates the blocks and the refund due over the rows of open orders whose
 * facts are wanted.  The rows that were read are read again, as they were then:
 * they are locked, or the caller has a snapshot that keeps them.
 */
extern bool order_expr_exist(const OrderTable *table);
extern void order_expr_evaluate(CancelTarget *targets, int count);

/*
 * Gives open orders their next status, where it is another.  The guard lets
 * these changes, and no others, pass; an error if a trigger made something
 * else of one.
 */
extern void order_update_status(CancelTarget *targets, int count);

/* Is this the change that order_update_status is making by a statement? */
extern bool order_update_is_ours(const OrderTable *table, const Datum *key,
								 const char *from, const char *to);

/* A partitioned table has its rows below; of others only their own count. */
extern const char *order_only(const OrderTable *table);

#endif /* ORDCANCEL_ORDER_ROW_H */
