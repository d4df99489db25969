/*
 * shard_ids.h — ids of records in shards that were moved
 */
#ifndef ORDCANCEL_SHARD_IDS_H
#define ORDCANCEL_SHARD_IDS_H

#include "config/order_table.h"

/*
 * Of an order's cancellations the one with the highest id is the newest, and
 * events are read by id.  A shard that comes from another node may hold ids that
 * the sequences here have not reached.  So before the first record of a session
 * in a shard, they are moved past what it holds.  They keep the remainder of a
 * division by their increment, which is different on each node.
 */
extern void shard_ids_follow(OrderTable *table);

#endif /* ORDCANCEL_SHARD_IDS_H */
