/*
 * order_table.c — what a backend knows of an attached order table
 *
 * Two hashes, both for the life of the backend: order tables by OID, and for
 * partitions the OID of the attached table above them.  The callbacks only
 * flip flags in them.
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "nodes/pg_list.h"
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "config/order_table.h"
#include "config/order_table_load.h"

typedef struct TableSlot
{
	Oid			relid; /* hash key */
	bool		valid;
	bool		outdated; /* not to be compared, but built anew */
	uint64		loads;
	OrderTable *table; /* NULL and valid: not attached */
} TableSlot;

typedef struct RootSlot
{
	Oid	 relid; /* hash key: a partition */
	bool valid;
	Oid	 root; /* InvalidOid: nothing above is attached */
} RootSlot;

static HTAB *tables = NULL;
static HTAB *roots = NULL;

/* Flags only: what they flag may be in use, and nothing may be looked up. */
static void
order_table_invalidate(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	TableSlot	   *table;
	RootSlot	   *root;

	if (relid != InvalidOid)
	{
		table = hash_search(tables, &relid, HASH_FIND, NULL);
		if (table)
			table->valid = false;
		root = hash_search(roots, &relid, HASH_FIND, NULL);
		if (root)
			root->valid = false;
		return;
	}
	hash_seq_init(&seq, tables);
	while ((table = hash_seq_search(&seq)) != NULL)
		table->valid = false;
	hash_seq_init(&seq, roots);
	while ((root = hash_seq_search(&seq)) != NULL)
		root->valid = false;
}

/* A schema was renamed, say: tables hear nothing of it. */
static void
invalidate_all(Datum arg, int cache, uint32 hash)
{
	order_table_invalidate(arg, InvalidOid);
}

/* Policies know by the labels what of them is stale. */
static void
invalidate_enums(Datum arg, int cache, uint32 hash)
{
	HASH_SEQ_STATUS seq;
	TableSlot	   *table;

	order_table_invalidate(arg, InvalidOid);
	hash_seq_init(&seq, tables);
	while ((table = hash_seq_search(&seq)) != NULL)
		table->outdated = true;
}

void
order_table_init(void)
{
	HASHCTL ctl = {0};

	ctl.keysize = sizeof(Oid);
	ctl.entrysize = sizeof(TableSlot);
	tables = hash_create("ordcancel order tables", 16, &ctl,
						 HASH_ELEM | HASH_BLOBS);
	ctl.entrysize = sizeof(RootSlot);
	roots = hash_create("ordcancel partitions", 64, &ctl,
						HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(order_table_invalidate, (Datum) 0);
	CacheRegisterSyscacheCallback(NAMESPACEOID, invalidate_all, (Datum) 0);
	CacheRegisterSyscacheCallback(ENUMOID, invalidate_enums, (Datum) 0);
}

/* The table as it is now; the one that is there, if it is still the same. */
static OrderTable *
current(const TableSlot *slot, bool outdated)
{
	return slot->table && !outdated && order_table_fits(slot->table) ?
		slot->table :
		order_table_load(slot->relid);
}

/*
 * To read the words of the rules may run checks of a domain, which may call us
 * for the same table: what they have loaded is newer then, and ours is not
 * taken.
 */
static void
load(TableSlot *slot)
{
	uint64		before = slot->loads;
	bool		outdated = slot->outdated;
	OrderTable *fresh;

	/*
	 * Set before the load: an invalidation that arrives while it reads unsets
	 * it, and the next caller reads again.
	 */
	slot->valid = true;
	slot->outdated = false;
	PG_TRY();
	{
		fresh = current(slot, outdated);
	}
	PG_CATCH();
	{
		slot->valid = false;
		slot->outdated |= outdated;
		PG_RE_THROW();
	}
	PG_END_TRY();
	if (slot->loads != before)
		return;
	if (fresh && fresh == slot->table)
	{
		fresh->changes++; /* of its policies nobody has looked */
		return;
	}

	/* The old one may be in use further up the stack: it goes at the end. */
	if (slot->table)
		MemoryContextSetParent(slot->table->context, TopTransactionContext);
	if (fresh)
		MemoryContextSetParent(fresh->context, CacheMemoryContext);
	slot->table = fresh;
	slot->loads++;
}

OrderTable *
order_table_find(Oid relid)
{
	TableSlot *slot;
	bool	   found;

	AcceptInvalidationMessages();
	slot = hash_search(tables, &relid, HASH_ENTER, &found);
	if (!found)
	{
		slot->valid = false;
		slot->outdated = false;
		slot->loads = 0;
		slot->table = NULL;
	}
	if (!slot->valid)
		load(slot);
	return slot->table;
}

OrderTable *
order_table_of(Relation rel)
{
	Oid			relid = RelationGetRelid(rel);
	OrderTable *table = order_table_find(relid);
	RootSlot   *slot;
	bool		found;

	if (table || !rel->rd_rel->relispartition)
		return table;

	slot = hash_search(roots, &relid, HASH_ENTER, &found);
	if (!found || !slot->valid)
	{
		List	 *ancestors = get_partition_ancestors(relid);
		ListCell *lc;

		slot->root = InvalidOid;
		slot->valid = true;
		foreach(lc, ancestors)
			if (order_table_find(lfirst_oid(lc)))
				slot->root = lfirst_oid(lc);
		list_free(ancestors);
	}
	return OidIsValid(slot->root) ? order_table_find(slot->root) : NULL;
}
