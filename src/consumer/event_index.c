/*
 * event_index.c — the indexes on event_id
 *
 * To open an event table and to begin a scan costs several times as much as
 * this.  That nothing is overlooked rests on the lock on the index:
 *
 * - Whoever gives the index other files (REINDEX, TRUNCATE, CLUSTER, VACUUM
 *   FULL, ALTER) or drops it has locked it exclusively, and sends the
 *   invalidation before releasing that lock.  So if
 *   the cache entry is valid under our lock, the index is the current one.
 * - REINDEX CONCURRENTLY invalidates the table when it puts the new index in
 *   the old one's place.  Up to then, and until the old one is dead, all
 *   writers maintain the old one.
 *
 * Without the lock, we could miss the events of a transaction that has also
 * rebuilt the index, if it has committed but not yet sent its invalidations.
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "storage/lmgr.h"
#include "utils/rel.h"

#include "base/index_end.h"
#include "base/relid_cache.h"
#include "consumer/event_index.h"
#include "rows/record_index.h"

/* The index of one event table. */
typedef struct IndexEntry
{
	RelidCacheEntry cached;
	Oid				index;
} IndexEntry;

static RelidCache cache;

void
event_index_init(void)
{
	relid_cache_init(&cache, "ordcancel event indexes", sizeof(IndexEntry));
}

Oid
event_index_find(Relation events)
{
	static const char *const column = "event_id";
	IndexEntry *entry = relid_cache_enter(&cache, RelationGetRelid(events));

	if (entry->cached.valid && OidIsValid(entry->index))
		return entry->index;
	entry->cached.valid = true;
	entry->index = InvalidOid;
	return entry->index = record_index_by_number(events, &column, 1);
}

static bool
exceeds(Oid index, int64 event_id)
{
	int64 last;

	switch (index_end(index, &last))
	{
		case INDEX_END_NONE:
			return false;
		case INDEX_END_FOUND:
			return last > event_id;
		default:
			return true;
	}
}

bool
event_index_may_exceed(Oid event_table, int64 event_id)
{
	IndexEntry *entry = relid_cache_enter(&cache, event_table);
	Oid			index = entry->index;
	bool		result;

	if (!entry->cached.valid || !OidIsValid(index))
		return true;
	LockRelationOid(index, AccessShareLock);

	/* The lock brings in invalidations. */
	result = !entry->cached.valid || exceeds(index, event_id);
	UnlockRelationOid(index, AccessShareLock);
	return result;
}
