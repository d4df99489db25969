/*
 * relid_cache.h — caches keyed by relation OID
 *
 * Entries live as long as the backend and never move.  A relcache invalidation
 * only clears "valid", because the entry may be in use and no catalog may be
 * read in an invalidation callback.  Code that fills an entry must set "valid"
 * before it reads, so that an invalidation that arrives during the read clears
 * it again.
 */
#ifndef ORDCANCEL_RELID_CACHE_H
#define ORDCANCEL_RELID_CACHE_H

#include "utils/hsearch.h"

/* The first member of every entry. */
typedef struct RelidCacheEntry
{
	Oid	 relid; /* hash key */
	bool valid;
} RelidCacheEntry;

typedef struct RelidCache
{
	HTAB			  *hash;
	Size			   entry_size;
	struct RelidCache *next; /* in the list of all caches */
} RelidCache;

/*
 * Creates the cache; called once for each when the library is loaded.  An
 * entry has "entry_size" bytes and begins with a RelidCacheEntry.
 */
extern void relid_cache_init(RelidCache *cache, const char *name,
							 Size entry_size);

/* The entry of a relation.  A new entry is zeroed, hence not valid. */
extern void *relid_cache_enter(RelidCache *cache, Oid relid);

/* Clears "valid" of all entries. */
extern void relid_cache_invalidate_all(RelidCache *cache);

#endif /* ORDCANCEL_RELID_CACHE_H */
