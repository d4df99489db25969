/*
 * item_table.c — the cached description of an order table's items
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/partition.h"
#include "nodes/pg_list.h"
#include "utils/inval.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/relid_cache.h"
#include "config/config_table.h"
#include "config/item_table_load.h"
#include "decision/refusal.h"

/* The description for the OrderTable of that serial. */
typedef struct ItemEntry
{
	RelidCacheEntry cached; /* of the table of items */
	ItemTable	   *items;
} ItemEntry;

/* The order table of a table of items, or of a partition of one. */
typedef struct OrdersEntry
{
	RelidCacheEntry cached;
	Oid				orders;
} OrdersEntry;

static RelidCache cache;
static RelidCache orders_cache;

static void
invalidate_enums(Datum arg, int cache_id, uint32 hash)
{
	relid_cache_invalidate_all(&cache);
}

void
item_table_init(void)
{
	CacheRegisterSyscacheCallback(ENUMOID, invalidate_enums, (Datum) 0);
	relid_cache_init(&cache, "ordcancel item tables", sizeof(ItemEntry));
	relid_cache_init(&orders_cache, "ordcancel orders of items",
					 sizeof(OrdersEntry));
}

static void
refresh(ItemEntry *entry, OrderTable *orders, Relation rel)
{
	ItemTable *fresh;

	entry->cached.valid = false;
	if (entry->items == NULL || !item_table_fits(entry->items, orders, rel))
	{
		fresh = item_table_load(orders, rel);

		/* The old one may still be in use further up the call stack. */
		if (entry->items)
			MemoryContextSetParent(entry->items->context,
								   TopTransactionContext);
		if (fresh)
			MemoryContextSetParent(fresh->context, CacheMemoryContext);
		entry->items = fresh;
	}
	entry->cached.valid = true;
}

ItemTable *
item_table_open(OrderTable *orders, LOCKMODE lock)
{
	ItemEntry *entry;
	Relation   rel;

	if (!OidIsValid(orders->items))
		return NULL;
	rel = try_table_open(orders->items, lock);
	if (rel == NULL)
		refusal_raise_invalid_policy(
			psprintf("the table of items of %s was dropped", orders->label),
			NULL,
			"Call ordcancel.attach_items() for the new one, or ordcancel.detach_items().");
	entry = relid_cache_enter(&cache, orders->items);
	if (!entry->cached.valid || entry->items == NULL ||
		entry->items->serial != orders->serial)
		refresh(entry, orders, rel);
	table_close(rel, NoLock);
	return entry->items;
}

static void
load_orders(HeapTuple row, TupleDesc desc, void *arg)
{
	*(Oid *) arg = config_oid(row, desc, ITEM_TABLE_ORDERS);
}

static Oid
find_orders(Relation rel)
{
	List *tables = list_make1_oid(RelationGetRelid(rel));
	Oid	  orders = InvalidOid;

	if (rel->rd_rel->relispartition)
		tables = list_concat(tables,
							 get_partition_ancestors(RelationGetRelid(rel)));
	for (int i = 0; i < list_length(tables) && !OidIsValid(orders); i++)
		config_scan_index("item_table", "item_table_items", ITEM_TABLE_ITEMS,
						  list_nth_oid(tables, i), load_orders, &orders);
	list_free(tables);
	return orders;
}

Oid
item_table_orders(Relation rel)
{
	OrdersEntry *entry = relid_cache_enter(&orders_cache,
										   RelationGetRelid(rel));

	/* What is not attached is not remembered: a partition may become so. */
	if (!entry->cached.valid || !OidIsValid(entry->orders))
	{
		entry->cached.valid = true;
		entry->orders = InvalidOid;
		entry->orders = find_orders(rel);
	}
	return entry->orders;
}

void
item_table_load_relid(HeapTuple row, TupleDesc desc, void *arg)
{
	*(Oid *) arg = config_oid(row, desc, ITEM_TABLE_ITEMS);
}
