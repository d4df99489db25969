/*
 * order_call_key.h — finds orders by the first columns of their key
 */
#ifndef ORDCANCEL_ORDER_CALL_KEY_H
#define ORDCANCEL_ORDER_CALL_KEY_H

#include "nodes/pg_list.h"

#include "base/read_snapshot.h"
#include "config/order_table.h"

/*
 * The keys, as arrays of Datum, of the orders that begin with these
 * table->ncall_keys values, in any partition.  Must run as the owner of the
 * table.
 */
extern List *order_call_key_find(const OrderTable *table,
								 const Datum *call_key, ReadSnapshot snapshot);

#endif /* ORDCANCEL_ORDER_CALL_KEY_H */
