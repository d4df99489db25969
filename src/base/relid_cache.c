/*
 * relid_cache.c — caches keyed by relation OID
 */
#include "postgres.h"

#include "utils/inval.h"

#include "base/relid_cache.h"

static RelidCache *caches = NULL;

void
relid_cache_invalidate_all(RelidCache *cache)
{
	HASH_SEQ_STATUS	 seq;
	RelidCacheEntry *entry;

	hash_seq_init(&seq, cache->hash);
	while ((entry = hash_seq_search(&seq)) != NULL)
		entry->valid = false;
}

static void
invalidate(Datum arg, Oid relid)
{
	for (RelidCache *cache = caches; cache; cache = cache->next)
	{
		RelidCacheEntry *entry;

		if (!OidIsValid(relid))
		{
			relid_cache_invalidate_all(cache);
			continue;
		}
		entry = hash_search(cache->hash, &relid, HASH_FIND, NULL);
		if (entry)
			entry->valid = false;
	}
}

void
relid_cache_init(RelidCache *cache, const char *name, Size entry_size)
{
	HASHCTL ctl = {.keysize = sizeof(Oid), .entrysize = entry_size};

	cache->hash = hash_create(name, 16, &ctl, HASH_ELEM | HASH_BLOBS);
	cache->entry_size = entry_size;
	if (caches == NULL)
		CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
	cache->next = caches;
	caches = cache;
}

void *
relid_cache_enter(RelidCache *cache, Oid relid)
{
	bool  found;
	void *entry = hash_search(cache->hash, &relid, HASH_ENTER, &found);

	if (!found)
		memset((char *) entry + sizeof(Oid), 0,
			   cache->entry_size - sizeof(Oid));
	return entry;
}
