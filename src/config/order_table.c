/*
 * order_table.c — the cached description of an attached order table
 *
 * There are two caches: the OrderTable of a relation, and the attached ancestor
 * of a partition.
 *
 * The first one holds no more than ordcancel.cached_tables.  A session that serves more
 * tables forgets the one that it used least recently, with its plans, and lets
 * PostgreSQL forget its record tables: together they take some 100 kB.
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "lib/ilist.h"
#include "nodes/pg_list.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/forget_relation.h"
#include "base/relid_cache.h"
#include "config/guc.h"
#include "config/order_table.h"
#include "config/order_table_check.h"
#include "config/order_table_load.h"
#include "config/shard.h"

typedef struct TableEntry
{
	RelidCacheEntry cached;
	bool			rebuild; /* load without comparing first */
	uint64			loads;	 /* how often it was replaced */
	OrderTable	   *table;	 /* NULL and valid: not attached */
	dlist_node		recent;	 /* in recent_tables, while it has a table */
	Oid				logical; /* of a shard: its table */
} TableEntry;

typedef struct RootEntry
{
	RelidCacheEntry cached; /* of a partition */
	Oid				root;	/* attached ancestor, or InvalidOid */
} RootEntry;

static RelidCache tables;
static RelidCache roots;
static dlist_head recent_tables = DLIST_STATIC_INIT(recent_tables);
static int		  table_count = 0; /* in recent_tables */
static int		  load_depth = 0;
static bool		  any_shards; /* among the tables */

/* A change of the configuration is announced for the distributed table. */
static void
invalidate_shards(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	TableEntry	   *entry;

	if (!any_shards || !OidIsValid(relid))
		return;
	hash_seq_init(&seq, tables.hash);
	while ((entry = hash_seq_search(&seq)) != NULL)
		if (entry->logical == relid)
			entry->cached.valid = false;
}

/* Renaming a schema sends no invalidations for the tables in it. */
static void
invalidate_all(Datum arg, int cache, uint32 hash)
{
	relid_cache_invalidate_all(&tables);
	relid_cache_invalidate_all(&roots);
}

/* Statuses of policies were checked against the labels of an enum. */
static void
invalidate_enums(Datum arg, int cache, uint32 hash)
{
	HASH_SEQ_STATUS seq;
	TableEntry	   *entry;

	invalidate_all(arg, cache, hash);
	hash_seq_init(&seq, tables.hash);
	while ((entry = hash_seq_search(&seq)) != NULL)
		entry->rebuild = true;
}

void
order_table_init(void)
{
	relid_cache_init(&tables, "ordcancel order tables", sizeof(TableEntry));
	relid_cache_init(&roots, "ordcancel partitions", sizeof(RootEntry));
	CacheRegisterRelcacheCallback(invalidate_shards, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, invalidate_enums, (Datum) 0);
}

/* Returns the cached OrderTable if it is still correct, else loads one. */
static OrderTable *
find_or_load(const TableEntry *entry, bool rebuild)
{
	return entry->table && !rebuild && order_table_fits(entry->table) ?
		entry->table :
		order_table_load(entry->cached.relid);
}

/* A shard whose table is not attached is remembered, too. */
static void
note_shard(TableEntry *entry)
{
	Shard shard;

	entry->logical = shard_of_relation(entry->cached.relid, &shard) ?
		shard.logical :
		InvalidOid;
	any_shards |= OidIsValid(entry->logical);
}

/*
 * Reading statuses may run the check of a domain, which may call functions of
 * ordcancel for the same table.  If such a call has replaced the entry's table,
 * that one is newer and is kept.
 */
static void
load(TableEntry *entry)
{
	uint64		before = entry->loads;
	bool		rebuild = entry->rebuild;
	OrderTable *fresh;

	/*
	 * Set before the load, so that an invalidation during the load clears it
	 * and the next caller loads again.
	 */
	entry->cached.valid = true;
	entry->rebuild = false;
	note_shard(entry);
	load_depth++;
	PG_TRY();
	{
		fresh = find_or_load(entry, rebuild);
	}
	PG_CATCH();
	{
		load_depth--;
		entry->cached.valid = false;
		entry->rebuild |= rebuild;
		PG_RE_THROW();
	}
	PG_END_TRY();
	load_depth--;
	if (entry->loads != before)
		return;
	if (fresh && fresh == entry->table)
	{
		fresh->changes++; /* policies were not compared */
		return;
	}

	/* The old one may still be in use further up the call stack. */
	if (entry->table)
		MemoryContextSetParent(entry->table->context, TopTransactionContext);
	if (fresh)
		MemoryContextSetParent(fresh->context, CacheMemoryContext);
	entry->table = fresh;
	entry->loads++;
}

/* Keeps the list of tables in the order of their use. */
static void
note_use(TableEntry *entry)
{
	bool listed = entry->recent.next != NULL;

	if (entry->table && listed)
		dlist_move_head(&recent_tables, &entry->recent);
	else if (entry->table)
	{
		dlist_push_head(&recent_tables, &entry->recent);
		table_count++;
	}
	else if (listed)
	{
		dlist_delete(&entry->recent);
		entry->recent.next = NULL;
		table_count--;
	}
}

static void
forget(TableEntry *entry)
{
	OrderTable *table = entry->table;

	entry->cached.valid = false;
	entry->table = NULL;
	note_use(entry);
	forget_relation(table->cancellation_table);
	forget_relation(table->event_table);
	if (OidIsValid(table->item_records))
		forget_relation(table->item_records);

	/* It may still be in use further up the call stack. */
	MemoryContextSetParent(table->context, TopTransactionContext);
}

/* Not within a load, which may be that of a table that would be forgotten. */
static void
make_room(void)
{
	while (load_depth == 0 && table_count >= guc_cached_tables)
		forget(dlist_tail_element(TableEntry, recent, &recent_tables));
}

OrderTable *
order_table_find(Oid relid)
{
	TableEntry *entry;

	AcceptInvalidationMessages();
	entry = relid_cache_enter(&tables, relid);
	if (!entry->cached.valid)
	{
		make_room();
		load(entry);
	}
	note_use(entry);
	return entry->table;
}

/*
 * The topmost attached table above a partition, or InvalidOid.  Raises OC014 if
 * the partition is not stored by heap.
 */
static Oid
find_root(Relation rel)
{
	List	 *ancestors = get_partition_ancestors(RelationGetRelid(rel));
	Oid		  root = InvalidOid;
	ListCell *lc;

	foreach(lc, ancestors)
		if (order_table_find(lfirst_oid(lc)))
			root = lfirst_oid(lc);
	list_free(ancestors);
	if (OidIsValid(root))
		order_table_refuse_not_heap(rel);
	return root;
}

OrderTable *
order_table_of(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	OrderTable *table = order_table_find(relid);
	RootEntry  *entry;

	if (table || !rel->rd_rel->relispartition)
		return table;

	entry = relid_cache_enter(&roots, relid);
	if (!entry->cached.valid)
	{
		entry->cached.valid = true;
		PG_TRY();
		{
			entry->root = find_root(rel);
		}
		PG_CATCH();
		{
			entry->cached.valid = false;
			PG_RE_THROW();
		}
		PG_END_TRY();
	}
	return OidIsValid(entry->root) ? order_table_find(entry->root) : NULL;
}
