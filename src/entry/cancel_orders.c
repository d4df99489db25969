/*
 * cancel_orders.c — cancel_orders: cancels an array of orders
 *
 * Orders are locked in the order of their keys, so that overlapping calls do
 * not deadlock.  The rows of the result are in the order of the array.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/tuplestore.h"

#include "base/result_row.h"
#include "base/subxact.h"
#include "base/text.h"
#include "config/run_as.h"
#include "config/shard_key.h"
#include "entry/args.h"
#include "entry/roles.h"
#include "lifecycle/bulk.h"
#include "lifecycle/lifecycle.h"
#include "rows/order_key.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_cancel_orders);

/* An element of the array, and its row of the result. */
typedef struct OrderItem
{
	Datum			  value;
	bool			  isnull;
	bool			  readable; /* it is a key */
	Datum			 *key;
	struct OrderItem *duplicate_of; /* an earlier item with the same key */
	const char		 *outcome;
	char			 *order_id; /* NULL: the element is NULL */
	bool			  has_id;
	int64			  cancellation_id;
	int				  sqlstate; /* if refused */
	char			 *message;
} OrderItem;

typedef struct ItemSet
{
	OrderTable	 *table;
	CancelArgs	  args;
	bool		  abort; /* raise the first refusal */
	Oid			  type;	 /* of the elements */
	int			  count;
	OrderItem	 *items;
	int			  reading; /* the item whose key is being read */
	MemoryContext context; /* for the result */

	/* of a distributed table: the shard that orders are canceled in */
	OrderTable *shard;
} ItemSet;

static void
refuse(ItemSet *o, OrderItem *item, const Refusal *refusal)
{
	MemoryContext caller = MemoryContextSwitchTo(o->context);

	item->outcome = "refused";
	item->sqlstate = refusal->sqlstate;
	item->message = pstrdup(refusal->message);
	if (item->order_id == NULL && !item->isnull)
		item->order_id = order_key_given(item->value, false, o->type);
	MemoryContextSwitchTo(caller);
}

/* Continues at o->reading, the item to which an error belongs. */
static void
read_keys(void *arg)
{
	ItemSet		*o = arg;
	CancelTarget c = {.table = o->table};

	for (; o->reading < o->count; o->reading++)
	{
		OrderItem *item = &o->items[o->reading];

		args_read_key(&c, item->value, item->isnull, o->type);
		item->key = c.key;
		item->readable = true;
		if (order_key_is_call_key(o->table, item->value, item->isnull,
								  o->type))
			item->order_id = order_key_given(item->value, false, o->type);
	}
}

static void
read_all_keys(ItemSet *o)
{
	ErrorData *error;

	if (o->abort)
	{
		read_keys(o);
		return;
	}
	while ((error = subxact_try(read_keys, o)) != NULL)
	{
		Refusal refusal = refusal_of_error(error);

		CHECK_FOR_INTERRUPTS();
		refuse(o, &o->items[o->reading], &refusal);
		o->reading++;
	}
}

static int
compare_items(const void *a, const void *b, void *arg)
{
	const OrderItem *x = *(OrderItem *const *) a;
	const OrderItem *y = *(OrderItem *const *) b;
	int				 order = order_key_compare(arg, x->key, y->key);

	/* Duplicates stay in the order of the array. */
	return order != 0 ? order : x < y ? -1 : x > y;
}

/* The distinct items, sorted by key; sets "duplicate_of" of the others. */
static OrderItem **
sort_items(ItemSet *o, int *count)
{
	OrderItem **sorted = palloc(Max(o->count, 1) * sizeof(OrderItem *));
	int			n = 0;
	int			distinct = 0;

	for (int i = 0; i < o->count; i++)
		if (o->items[i].readable)
			sorted[n++] = &o->items[i];
	qsort_arg(sorted, n, sizeof(OrderItem *), compare_items, o->table);
	for (int i = 0; i < n; i++)
	{
		OrderItem *last = distinct > 0 ? sorted[distinct - 1] : NULL;

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
store_result(ItemSet *o, OrderItem *item, CancelTarget *c)
{
	bulk_set_refusal(c);
	if (c->key_text && item->order_id == NULL)
		item->order_id = MemoryContextStrdup(o->context, c->key_text);
	if (c->result == TARGET_REFUSED)
	{
		if (o->abort)
			refusal_raise(&c->outcome.refusal);
		refuse(o, item, &c->outcome.refusal);
		return;
	}
	item->outcome = bulk_outcome(c);
	item->has_id = c->outcome.has_record;
	item->cancellation_id = c->outcome.cancellation_id;
}

static void
cancel_together(ItemSet *o, CancelTarget *targets, int count)
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
cancel(ItemSet *o, OrderItem **items, int count)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel orders",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	CancelTarget *targets = palloc0(count * sizeof(CancelTarget));

	for (int i = 0; i < count; i++)
	{
		targets[i].table = o->shard ? o->shard : o->table;
		targets[i].key = items[i]->key;
	}
	if (o->abort)
		cancel_together(o, targets, count);
	else
		bulk_run(targets, count, &o->args, false);
	for (int i = 0; i < count; i++)
		store_result(o, items[i], &targets[i]);
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
cancel_sets(ItemSet *o, OrderItem **items, int count)
{
	int size = Max(SET_MIN, count / SETS_MAX + 1);

	for (int done = 0; done < count; done += size)
		cancel(o, &items[done], Min(size, count - done));
}

static void
refuse_elsewhere(void *arg)
{
	shard_raise_elsewhere(arg);
}

/* Orders in a shard on another node; with on_error = abort they are an error. */
static void
refuse_all_elsewhere(ItemSet *o, OrderItem **items, int count)
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
		refuse(o, items[i], &refusal);
}

/* Takes the orders of a shard from the items; returns how many these are. */
static int
take_shard(const ShardMap *map, const Shard *shard, OrderItem **items,
		   int *left, OrderItem **taken)
{
	int count = 0;
	int rest = 0;

	for (int i = 0; i < *left; i++)
		if (shard_map_find(map, items[i]->key) == shard)
			taken[count++] = items[i];
		else
			items[rest++] = items[i];
	*left = rest;
	return count;
}

/*
 * Shard by shard, always in the same order, so that calls do not deadlock.  The
 * array may name orders in several of those that are on this node.
 */
static void
cancel_distributed(ItemSet *o, OrderItem **items, int count)
{
	OrderItem **taken = palloc(Max(count, 1) * sizeof(OrderItem *));
	ShardMap	map;
	ListCell   *lc;

	shard_map_begin(&map, o->table);
	foreach(lc, map.shards)
	{
		int n = take_shard(&map, lfirst(lc), items, &count, taken);
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
	refuse_all_elsewhere(o, items, count);
}

/* A call that was sent to a shard names only orders in it. */
static void
cancel_in_shard(ItemSet *o, OrderItem **items, int count)
{
	OrderItem **other = palloc(Max(count, 1) * sizeof(OrderItem *));
	int			others = 0;
	int			own = 0;

	for (int i = 0; i < count; i++)
		if (shard_has_key(o->table, items[i]->key))
			items[own++] = items[i];
		else
			other[others++] = items[i];
	refuse_all_elsewhere(o, other, others);
	cancel_sets(o, items, own);
}

static void
cancel_all(ItemSet *o)
{
	int			count;
	OrderItem **items = sort_items(o, &count);

	if (o->table->distributed)
		cancel_distributed(o, items, count);
	else if (o->table->shard.id != 0)
		cancel_in_shard(o, items, count);
	else
		cancel_sets(o, items, count);
}

static void
copy_result(OrderItem *item)
{
	const OrderItem *first = item->duplicate_of;

	item->outcome = strcmp(first->outcome, "refused") == 0 ? "refused" :
															 "already";
	item->order_id = first->order_id;
	item->has_id = first->has_id;
	item->cancellation_id = first->cancellation_id;
	item->sqlstate = first->sqlstate;
	item->message = first->message;
}

/* The columns of the result. */
enum
{
	ANSWER_ORDER_ID,
	ANSWER_OUTCOME,
	ANSWER_CANCELLATION_ID,
	ANSWER_SQLSTATE,
	ANSWER_MESSAGE,
};

static const ResultColumn answer_columns[] = {
	[ANSWER_ORDER_ID] = {"order_id", TEXTOID},
	[ANSWER_OUTCOME] = {"outcome", TEXTOID},
	[ANSWER_CANCELLATION_ID] = {"cancellation_id", INT8OID},
	[ANSWER_SQLSTATE] = {"sqlstate", TEXTOID},
	[ANSWER_MESSAGE] = {"message", TEXTOID},
};

static void
put_item(ResultRow *row, const OrderItem *item)
{
	result_row_clear(row);
	result_row_text(row, ANSWER_ORDER_ID, item->order_id);
	result_row_text(row, ANSWER_OUTCOME, item->outcome);
	result_row_set(row, ANSWER_CANCELLATION_ID,
				   Int64GetDatum(item->cancellation_id), !item->has_id);
	if (strcmp(item->outcome, "refused") == 0)
	{
		result_row_text(row, ANSWER_SQLSTATE,
						unpack_sql_state(item->sqlstate));
		result_row_text(row, ANSWER_MESSAGE, item->message);
	}
}

static void
read_array(ItemSet *o, ArrayType *array)
{
	int16  length;
	bool   byval;
	char   align;
	Datum *values;
	bool  *nulls;

	o->type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(o->type, &length, &byval, &align);
	deconstruct_array(array, o->type, length, byval, align, &values, &nulls,
					  &o->count);
	o->items = palloc0(Max(o->count, 1) * sizeof(OrderItem));
	for (int i = 0; i < o->count; i++)
	{
		o->items[i].value = values[i];
		o->items[i].isnull = nulls[i];
	}
}

/* An untyped literal or driver parameter comes as text. */
static ArrayType *
array_argument(FunctionCallInfo fcinfo, int arg)
{
	if (args_type(fcinfo, arg) != TEXTOID)
		return PG_GETARG_ARRAYTYPE_P(arg);
	return DatumGetArrayTypeP(
		OidInputFunctionCall(F_ARRAY_IN, args_text(fcinfo, arg), TEXTOID, -1));
}

/* Reads on_error. */
static bool
on_error_argument(FunctionCallInfo fcinfo, int arg)
{
	char *value = args_text(fcinfo, arg);

	if (value && strcmp(value, "abort") == 0)
		return true;
	if (value == NULL || strcmp(value, "skip") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_error must be \"skip\" or \"abort\""),
				 errdetail("The value is %s.",
						   value ? psprintf("\"%s\"", text_clip(value, 80)) :
								   "null")));
	return false;
}

/* (orders, order_ids, reason, note, actor, on_error, metadata) */
Datum
ordcancel_cancel_orders(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	ItemSet		   o = {.context = CurrentMemoryContext};
	ResultRow	   row;

	role_must_be_merchant("cancel_orders");
	InitMaterializedSRF(fcinfo, 0);
	o.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), RowExclusiveLock);
	o.args.verb = VERB_CANCEL_ORDER;
	o.args.party = PARTY_MERCHANT;
	o.args.source = "cancel_orders";
	o.args.reason = args_text(fcinfo, 2);
	o.args.note = args_text(fcinfo, 3);
	o.args.actor = args_actor(fcinfo, 4);
	o.abort = on_error_argument(fcinfo, 5);
	args_metadata(fcinfo, 6, &o.args);
	PreventCommandIfReadOnly("cancel_orders()");
	visibility_check_select(o.table);
	if (PG_ARGISNULL(1))
		return (Datum) 0;

	read_array(&o, array_argument(fcinfo, 1));
	read_all_keys(&o);
	cancel_all(&o);
	result_row_begin(&row, result->setDesc, answer_columns,
					 lengthof(answer_columns));
	for (int i = 0; i < o.count; i++)
	{
		if (o.items[i].duplicate_of)
			copy_result(&o.items[i]);
		put_item(&row, &o.items[i]);
		tuplestore_putvalues(result->setResult, row.desc, row.values,
							 row.nulls);
	}
	return (Datum) 0;
}
