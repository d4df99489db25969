/*
 * cancel_orders_run.c — cancels the orders of cancel_orders, in sets
 *
 * Orders are locked in the order of their keys, so that overlapping calls do
 * not deadlock.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/memutils.h"

#include "base/subxact.h"
#include "config/run_as.h"
#include "config/shard_key.h"
#include "entry/args.h"
#include "entry/cancel_orders.h"
#include "lifecycle/bulk.h"
#include "rows/order_key.h"
#include "rows/visibility.h"

void
cancel_orders_refuse(OrderSet *o, OrderEntry *entry, const Refusal *refusal)
{
	MemoryContext caller = MemoryContextSwitchTo(o->context);

	entry->outcome = "refused";
	entry->sqlstate = refusal->sqlstate;
	entry->message = pstrdup(refusal->message);
	if (entry->order_id == NULL && !entry->isnull)
		entry->order_id = order_key_given(entry->value, false, o->type);
	MemoryContextSwitchTo(caller);
}

static int
compare_entries(const void *a, const void *b, void *arg)
{
	const OrderEntry *x = *(OrderEntry *const *) a;
	const OrderEntry *y = *(OrderEntry *const *) b;
	int				  order = order_key_compare(arg, x->key, y->key);

	/* Duplicates stay in the order of the array. */
	return order != 0 ? order : x < y ? -1 : x > y;
}

/* The distinct entries, sorted by key; sets "duplicate_of" of the others. */
static OrderEntry **
sort_entries(OrderSet *o, int *count)
{
	OrderEntry **sorted = palloc(Max(o->count, 1) * sizeof(OrderEntry *));
	int			 n = 0;
	int			 distinct = 0;

	for (int i = 0; i < o->count; i++)
		if (o->entries[i].readable)
			sorted[n++] = &o->entries[i];
	qsort_arg(sorted, n, sizeof(OrderEntry *), compare_entries, o->table);
	for (int i = 0; i < n; i++)
	{
		OrderEntry *last = distinct > 0 ? sorted[distinct - 1] : NULL;

		if (last &&
			order_key_compare(o->table, last->key, sorted[i]->key) == 0)
			sorted[i]->duplicate_of = last;
		else
			sorted[distinct++] = sorted[i];
	}
	*count = distinct;
	return sorted;
}

static void
store_result(OrderSet *o, OrderEntry *entry, CancelTarget *c)
{
	bulk_set_refusal(c);
	if (c->key_text && entry->order_id == NULL)
		entry->order_id = MemoryContextStrdup(o->context, c->key_text);
	if (c->result == TARGET_REFUSED)
	{
		if (o->abort)
			refusal_raise(&c->outcome.refusal);
		cancel_orders_refuse(o, entry, &c->outcome.refusal);
		return;
	}
	entry->outcome = bulk_outcome(c);
	entry->has_id = c->outcome.has_record;
	entry->cancellation_id = c->outcome.cancellation_id;
}

static void
cancel_together(OrderSet *o, CancelTarget *targets, int count)
{
	CancelArgs args = o->args;
	RunAsScope scope;

	MemoryContextSwitchTo(o->context);
	visibility_filter(targets, count, args.skip_locked);
	run_as_owner_spi(&scope, targets[0].table);
	lifecycle_run(targets, count, &args);
	run_as_end_spi(&scope);
}

static void
cancel(OrderSet *o, OrderEntry **entries, int count)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel orders",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	CancelTarget *targets = palloc0(count * sizeof(CancelTarget));

	for (int i = 0; i < count; i++)
	{
		targets[i].table = o->shard ? o->shard : o->table;
		targets[i].key = entries[i]->key;
	}
	if (o->abort)
		cancel_together(o, targets, count);
	else
		bulk_run(targets, count, &o->args, false);
	for (int i = 0; i < count; i++)
		store_result(o, entries[i], &targets[i]);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/*
 * Orders are canceled in sets, each in a subtransaction.  There are few of
 * these, since a transaction with more than 64 subtransactions slows down
 * visibility checks of other sessions (PGPROC_MAX_CACHED_SUBXIDS).
 */
#define SET_MIN 1000
#define SETS_MAX 50

static void
cancel_sets(OrderSet *o, OrderEntry **entries, int count)
{
	int size = Max(SET_MIN, count / SETS_MAX + 1);

	for (int done = 0; done < count; done += size)
		cancel(o, &entries[done], Min(size, count - done));
}

static void
refuse_elsewhere(void *arg)
{
	shard_raise_elsewhere(arg);
}

/* Orders in a shard on another node; with on_error = abort they are an error. */
static void
refuse_all_elsewhere(OrderSet *o, OrderEntry **entries, int count)
{
	ErrorData *error;
	Refusal	   refusal;

	if (count == 0)
		return;
	if (o->abort)
		shard_raise_elsewhere(o->table->label);
	error = subxact_try(refuse_elsewhere, o->table->label);
	refusal = refusal_of_error(error);
	for (int i = 0; i < count; i++)
		cancel_orders_refuse(o, entries[i], &refusal);
}

/* Takes the orders of a shard from the entries; returns how many these are. */
static int
take_shard(const ShardMap *map, const Shard *shard, OrderEntry **entries,
		   int *left, OrderEntry **taken)
{
	int count = 0;
	int rest = 0;

	for (int i = 0; i < *left; i++)
		if (shard_map_find(map, entries[i]->key) == shard)
			taken[count++] = entries[i];
		else
			entries[rest++] = entries[i];
	*left = rest;
	return count;
}

/*
 * Shard by shard, always in the same order, so that calls do not deadlock.  The
 * array may name orders in several of those that are on this node.
 */
static void
cancel_distributed(OrderSet *o, OrderEntry **entries, int count)
{
	OrderEntry **taken = palloc(Max(count, 1) * sizeof(OrderEntry *));
	ShardMap	 map;
	ListCell	*lc;

	shard_map_begin(&map, o->table);
	foreach(lc, map.shards)
	{
		int n = take_shard(&map, lfirst(lc), entries, &count, taken);
		Oid relid = n > 0 ? args_shard_of_key(o->table, taken[0]->key) :
							InvalidOid;

		if (!OidIsValid(relid))
			refuse_all_elsewhere(o, taken, n);
		else
		{
			o->shard = args_table(false, relid, RowExclusiveLock);
			cancel_sets(o, taken, n);
		}
	}
	refuse_all_elsewhere(o, entries, count);
}

/* A call that was sent to a shard names only orders in it. */
static void
cancel_in_shard(OrderSet *o, OrderEntry **entries, int count)
{
	OrderEntry **other = palloc(Max(count, 1) * sizeof(OrderEntry *));
	int			 others = 0;
	int			 own = 0;

	for (int i = 0; i < count; i++)
		if (shard_has_key(o->table, entries[i]->key))
			entries[own++] = entries[i];
		else
			other[others++] = entries[i];
	refuse_all_elsewhere(o, other, others);
	cancel_sets(o, entries, own);
}

void
cancel_orders_run(OrderSet *o)
{
	int			 count;
	OrderEntry **entries = sort_entries(o, &count);

	if (o->table->distributed)
		cancel_distributed(o, entries, count);
	else if (o->table->shard.id != 0)
		cancel_in_shard(o, entries, count);
	else
		cancel_sets(o, entries, count);
}
