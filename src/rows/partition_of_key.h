/*
 * partition_of_key.h — finds the leaf partition of an order
 */
#ifndef ORDCANCEL_PARTITION_OF_KEY_H
#define ORDCANCEL_PARTITION_OF_KEY_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "config/order_table.h"

/*
 * The leaf partition of a partitioned order table in which an order with this
 * key is, if it exists; InvalidOid if no partition accepts the key.  The key
 * determines it, since a primary key has all columns that rows are partitioned
 * by.  Partitioned partitions on the way are locked in the mode, the leaf is
 * not.
 */
extern Oid partition_of_key(const OrderTable *table, Relation rel,
							const Datum *key, LOCKMODE lock);

/* All leaf partitions of a partitioned table. */
extern List *partition_leaves(Relation rel, LOCKMODE lock);

#endif /* ORDCANCEL_PARTITION_OF_KEY_H */
