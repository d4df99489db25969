/*
 * child_table.c — the cached guards of child tables
 */
#include "postgres.h"

#include "catalog/partition.h"
#include "nodes/pg_list.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/relid_cache.h"
#include "config/child_table.h"
#include "config/config_table.h"
#include "config/pinned_query.h"

/* Columns of ordcancel.child; only ever appended to. */
enum
{
	CHILD_ORDERS = 2,
	CHILD_KEY_COLUMNS,
	CHILD_REFUSE_REQUESTED,
	CHILD_REFUSE_IN_PROGRESS,
	CHILD_REFUSE_CANCELED,
	CHILD_NAME,
	CHILD_REFUSE_WHEN,
	CHILD_PINNED_REFUSE_WHEN,
	CHILD_REFUSE_WHEN_FUNCTIONS,
	CHILD_KEY_EXPRESSION,
	CHILD_PINNED_KEY_EXPRESSION,
	CHILD_KEY_EXPRESSION_FUNCTIONS,
	CHILD_SEARCH_PATH,
	CHILD_TIME_ZONE,
};

typedef struct GuardsEntry
{
	RelidCacheEntry cached; /* of the child table */
	ChildTable	   *table;
} GuardsEntry;

/* The child table of which a relation is a partition. */
typedef struct RootEntry
{
	RelidCacheEntry cached;
	Oid				root;
} RootEntry;

static RelidCache guards_cache;
static RelidCache roots_cache;

void
child_table_init(void)
{
	relid_cache_init(&guards_cache, "ordcancel child tables",
					 sizeof(GuardsEntry));
	relid_cache_init(&roots_cache, "ordcancel partitions of child tables",
					 sizeof(RootEntry));
}

/* The text as it was parsed; a superuser may have left that out. */
static void
load_expression(ChildExpression *expression, HeapTuple row, TupleDesc desc,
				int given)
{
	expression->text = config_text(row, desc, given + 1);
	if (expression->text == NULL)
		expression->text = config_text(row, desc, given);
	expression->functions = config_text(row, desc, given + 2);
}

static void
load_guard(HeapTuple row, TupleDesc desc, void *arg)
{
	ChildTable *table = arg;
	ChildGuard *guard;

	table->guards = table->guards ?
		repalloc(table->guards, (table->nguards + 1) * sizeof(ChildGuard)) :
		palloc(sizeof(ChildGuard));
	guard = &table->guards[table->nguards++];
	memset(guard, 0, sizeof(ChildGuard));
	guard->name = config_text(row, desc, CHILD_NAME);
	guard->orders = config_oid(row, desc, CHILD_ORDERS);
	guard->key_columns = config_names(row, desc, CHILD_KEY_COLUMNS,
									  &guard->nkeys);
	load_expression(&guard->key, row, desc, CHILD_KEY_EXPRESSION);
	load_expression(&guard->refuse_when, row, desc, CHILD_REFUSE_WHEN);
	guard->refuse_when_given = config_text(row, desc, CHILD_REFUSE_WHEN);
	guard->refuse[STATE_REQUESTED] = config_bool(row, desc,
												 CHILD_REFUSE_REQUESTED);
	guard->refuse[STATE_IN_PROGRESS] = config_bool(row, desc,
												   CHILD_REFUSE_IN_PROGRESS);
	guard->refuse[STATE_CANCELED] = config_bool(row, desc,
												CHILD_REFUSE_CANCELED);
	guard->search_path = config_text(row, desc, CHILD_SEARCH_PATH);
	guard->time_zone = config_text(row, desc, CHILD_TIME_ZONE);
}

static void
free_queries(void *arg)
{
	ChildTable *table = arg;

	for (int i = 0; i < table->nguards; i++)
	{
		pinned_forget(&table->guards[i].key.query);
		pinned_forget(&table->guards[i].refuse_when.query);
	}
}

static ChildTable *
load(Oid relid)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel child",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	ChildTable	 *table = palloc0(sizeof(ChildTable));
	MemoryContextCallback *cleanup = palloc0(sizeof(MemoryContextCallback));

	table->context = context;
	table->relid = relid;
	(void) config_scan("child", relid, load_guard, table);
	cleanup->func = free_queries;
	cleanup->arg = table;
	MemoryContextRegisterResetCallback(context, cleanup);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, CacheMemoryContext);
	return table;
}

static void
refresh(GuardsEntry *entry)
{
	ChildTable *old = entry->table;

	/* The old one may still be in use further up the call stack. */
	entry->table = NULL;
	if (old)
		MemoryContextSetParent(old->context, TopTransactionContext);
	entry->cached.valid = true;
	entry->table = load(entry->cached.relid);
}

static void
note_row(HeapTuple row, TupleDesc desc, void *arg)
{
}

static Oid
find_root(Relation rel)
{
	List *tables = list_make1_oid(RelationGetRelid(rel));
	Oid	  root = InvalidOid;

	if (rel->rd_rel->relispartition)
		tables = list_concat(tables,
							 get_partition_ancestors(RelationGetRelid(rel)));
	for (int i = 0; i < list_length(tables) && !OidIsValid(root); i++)
		if (config_scan("child", list_nth_oid(tables, i), note_row, NULL) > 0)
			root = list_nth_oid(tables, i);
	list_free(tables);
	return root;
}

ChildTable *
child_table_of(Relation rel)
{
	RootEntry	*root = relid_cache_enter(&roots_cache, RelationGetRelid(rel));
	GuardsEntry *entry;

	/* What is not attached is not remembered: a partition may become so. */
	if (!root->cached.valid || !OidIsValid(root->root))
	{
		root->cached.valid = true;
		root->root = InvalidOid;
		root->root = find_root(rel);
	}
	if (!OidIsValid(root->root))
		return NULL;
	entry = relid_cache_enter(&guards_cache, root->root);
	if (!entry->cached.valid || entry->table == NULL)
		refresh(entry);
	if (entry->table->nguards == 0)
		root->cached.valid = false;
	return entry->table->nguards > 0 ? entry->table : NULL;
}
