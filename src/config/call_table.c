/*
 * call_table.c — the cached tables of calls
 */
#include "postgres.h"

#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/relid_cache.h"
#include "config/call_table.h"
#include "config/config_table.h"
#include "config/order_table_row.h"
#include "config/shard.h"
#include "decision/refusal.h"

typedef struct CallEntry
{
	RelidCacheEntry cached; /* of the table of calls */
	CallTable	   *table;
} CallEntry;

static RelidCache cache;

void
call_table_init(void)
{
	relid_cache_init(&cache, "ordcancel tables of calls", sizeof(CallEntry));
}

static void
load_row(HeapTuple row, TupleDesc desc, void *arg)
{
	CallTable *table = arg;

	table->orders = config_oid(row, desc, ORDER_TABLE_ORDERS);
	table->keys = config_names(row, desc, ORDER_TABLE_CALL_TABLE_KEYS,
							   &table->nkeys);
}

static void
free_plans(void *arg)
{
	CallTable *table = arg;

	for (int i = 0; i < CALL_PLANS; i++)
		if (table->plans[i])
			SPI_freeplan(table->plans[i]);
}

static CallTable *
load(Oid relid)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel calls",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	CallTable	 *table = palloc0(sizeof(CallTable));
	Shard		  shard;
	MemoryContextCallback *cleanup = palloc0(sizeof(MemoryContextCallback));

	table->context = context;
	if (config_scan_index("order_table", "order_table_calls",
						  ORDER_TABLE_CALL_TABLE, relid, load_row,
						  table) == 0 &&
		shard_of_relation(relid, &shard))
	{
		(void) config_scan_index("order_table", "order_table_calls",
								 ORDER_TABLE_CALL_TABLE, shard.logical,
								 load_row, table);
		table->orders = shard_sibling(&shard, table->orders);
	}
	cleanup->func = free_plans;
	cleanup->arg = table;
	MemoryContextRegisterResetCallback(context, cleanup);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, CacheMemoryContext);
	return table;
}

static void
refresh(CallEntry *entry)
{
	CallTable *old = entry->table;

	/* The old one may still be in use further up the call stack. */
	entry->table = NULL;
	if (old)
		MemoryContextSetParent(old->context, TopTransactionContext);
	entry->cached.valid = true;
	entry->table = load(entry->cached.relid);
}

CallTable *
call_table_of(Relation rel)
{
	CallEntry *entry = relid_cache_enter(&cache, RelationGetRelid(rel));

	if (!entry->cached.valid || entry->table == NULL)
		refresh(entry);
	if (!OidIsValid(entry->table->orders) || entry->table->nkeys == 0)
	{
		/* It may be registered without an invalidation of this relation. */
		entry->cached.valid = false;
		ereport(
			ERROR,
			(errcode(condition_sqlstate(CONDITION_ORDER_TABLE_NOT_ATTACHED)),
			 errmsg(
				 "table \"%s\" is not the table of calls of an attached table",
				 RelationGetRelationName(rel)),
			 errhint(
				 "Attach the order table, and call ordcancel.make_call_table() for it.")));
	}
	return entry->table;
}
