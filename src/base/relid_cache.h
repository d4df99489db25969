/*
 * relid_cache.h — caches by relation that relcache invalidations flag
 *
 * Entries are kept for the life of the backend and stay where they are.  An
 * invalidation only clears "valid": what the entry holds may be in use, and
 * nothing may be looked up at that moment.  Whoever fills an entry sets
 * "valid" before reading, so that an invalidation that arrives meanwhile
 * clears it again.
 */
#ifndef ORDCANCEL_RELID_CACHE_H
#define ORDCANCEL_RELID_CACHE_H

#include "utils/hsearch.h"

/* What every entry begins with. */
typedef struct RelidCacheEntry
{
	Oid	 relid; /* hash key */
	bool valid;
} RelidCacheEntry;

typedef struct RelidCache
{
	HTAB			  *hash;
	Size			   entry_size;
	struct RelidCache *next; /* of those that invalidations are passed to */
} RelidCache;

/* Called once for each cache, when the library is loaded. */
extern void relid_cache_init(RelidCache *cache, const char *name,
							 Size entry_size);

/* The entry of a relation; a new one is all zeros. */
extern void *relid_cache_get(RelidCache *cache, Oid relid);

extern void relid_cache_invalidate_all(RelidCache *cache);

#endif /* ORDCANCEL_RELID_CACHE_H */
