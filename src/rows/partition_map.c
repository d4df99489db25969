/*
 * partition_map.c — from the columns of a partition to those of its table
 */
#include "postgres.h"

#include "utils/rel.h"

#include "base/relid_cache.h"
#include "rows/partition_map.h"

/* A table's columns do not change without those of its partitions. */
typedef struct MapEntry
{
	RelidCacheEntry cached; /* of the partition */
	Oid				same;	/* the table that has the same columns */
} MapEntry;

static RelidCache cache;

void
partition_map_init(void)
{
	relid_cache_init(&cache, "ordcancel partition maps", sizeof(MapEntry));
}

TupleConversionMap *
partition_map(Relation partition, Relation table)
{
	MapEntry *entry = relid_cache_enter(&cache, RelationGetRelid(partition));
	TupleConversionMap *map;

	if (entry->cached.valid && entry->same == RelationGetRelid(table))
		return NULL;
	map = convert_tuples_by_name(RelationGetDescr(partition),
								 RelationGetDescr(table));
	entry->cached.valid = true;
	entry->same = map ? InvalidOid : RelationGetRelid(table);
	return map;
}
