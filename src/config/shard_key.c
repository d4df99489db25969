/*
 * shard_key.c — the shard of an order
 */
#include "postgres.h"

#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "config/shard.h"
#include "config/shard_key.h"

/* Which column of the key rows are distributed by; -1: by none. */
static int
distribution_key(const OrderTable *table)
{
	Distribution d;
	char		*name;

	if (!shard_distribution(table->logical, &d) || d.column == 0)
		return -1;
	name = get_attname(table->logical, d.column, true);
	for (int i = 0; name && i < table->nkeys; i++)
		if (strcmp(table->keys[i].name, name) == 0)
			return i;
	return -1;
}

static void
begin(ShardMap *map, const OrderTable *table)
{
	map->table = table;
	map->shards = NIL;
	map->key = distribution_key(table);
	if (map->key >= 0)
		fmgr_info(lookup_type_cache(table->keys[map->key].type,
									TYPECACHE_HASH_PROC)
					  ->hash_proc,
				  &map->hash);
}

void
shard_map_begin(ShardMap *map, const OrderTable *table)
{
	begin(map, table);
	map->shards = shard_list(table->logical);
}

/* As Citus computes it. */
static int32
hash_of(const ShardMap *map, const Datum *key)
{
	return DatumGetInt32(
		FunctionCall1Coll((FmgrInfo *) &map->hash,
						  map->table->keys[map->key].collation,
						  key[map->key]));
}

const Shard *
shard_map_find(const ShardMap *map, const Datum *key)
{
	int32	  hash = map->key >= 0 ? hash_of(map, key) : 0;
	ListCell *lc;

	foreach(lc, map->shards)
	{
		const Shard *shard = lfirst(lc);

		if (shard->whole ||
			(map->key >= 0 && hash >= shard->first && hash <= shard->last))
			return shard;
	}
	return NULL;
}

Oid
shard_of_key(const OrderTable *table, const Datum *key, bool hold)
{
	ShardMap	 map;
	const Shard *shard;

	shard_map_begin(&map, table);
	shard = shard_map_find(&map, key);
	if (shard == NULL || !shard_is_here(shard->id) ||
		(hold && !shard_hold(shard)))
		return InvalidOid;
	return shard_relation(table->logical, shard->id);
}

bool
shard_has_key(const OrderTable *table, const Datum *key)
{
	const Shard *shard = &table->shard;
	ShardMap	 map;
	int32		 hash;

	if (shard->whole)
		return true;
	begin(&map, table);
	if (map.key < 0)
		return false;
	hash = hash_of(&map, key);
	return hash >= shard->first && hash <= shard->last;
}
