/*
 * shard_key.h — the shard of an order
 */
#ifndef ORDCANCEL_SHARD_KEY_H
#define ORDCANCEL_SHARD_KEY_H

#include "config/order_table.h"

/* The shards of a distributed table, for looking up many orders. */
typedef struct ShardMap
{
	const OrderTable *table;
	int				  key; /* which column of the key has the hash; -1: none */
	FmgrInfo		  hash;	  /* of its type */
	List			 *shards; /* of Shard */
} ShardMap;

extern void shard_map_begin(ShardMap *map, const OrderTable *table);

/* The shard of an order; NULL if there is none. */
extern const Shard *shard_map_find(const ShardMap *map, const Datum *key);

/*
 * The relation of the shard of an order, which stays on this node until the end
 * of the transaction if "hold" is true; InvalidOid if it is elsewhere.
 */
extern Oid shard_of_key(const OrderTable *table, const Datum *key, bool hold);

/* Does an order belong to this shard? */
extern bool shard_has_key(const OrderTable *shard, const Datum *key);

#endif /* ORDCANCEL_SHARD_KEY_H */
