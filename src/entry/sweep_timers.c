/*
 * sweep_timers.c — cancels orders that have been in a status for too long
 *
 * For each status of a table with a timer (rule.expire_after) one query finds
 * the orders, then they are canceled in chunks, each in a transaction of its
 * own if the CALL is not in a transaction block.  Tables without timers are not
 * opened.  Orders that others have locked are left to the next sweep.  Those
 * that cannot be canceled are reported in one warning.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/guc.h"
#include "config/policy_cache.h"
#include "config/policy_load.h"
#include "config/run_as.h"
#include "config/shard.h"
#include "entry/args.h"
#include "entry/sweep.h"
#include "lifecycle/bulk.h"
#include "lifecycle/lifecycle.h"
#include "rows/order_due.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/record.h"

PG_FUNCTION_INFO_V1(ordcancel_expiry_refusal);

/* Orders that are canceled in one transaction. */
#define CHUNK 1000

/* Orders that a warning names. */
#define REPORTED_MAX 5

typedef struct Timer
{
	Oid			orders;
	char	   *status;
	TimestampTz latest; /* a due order came into the status then or before */
} Timer;

typedef struct TimerSearch
{
	List	   *timers;
	TimestampTz now;
} TimerSearch;

/* Canceling the expired orders of one status. */
typedef struct Expiry
{
	const Timer *timer;
	SweptTable	 table;
	List		*keys; /* as text */
	int			 done; /* keys that were processed */

	/* the chunk */
	int			count;
	int			reading; /* the key that is being read */
	OrderTable *order_table;
	Datum	  **order_keys;
	int			readable; /* how many of them */

	/* orders that could not be canceled */
	int64		   refused;
	int			   sqlstate; /* of the first one */
	char		  *first;
	StringInfoData reported;
} Expiry;

/* The policies of a table may differ: the shortest time counts here. */
static void
add_timer(Oid orders, const char *status, const Interval *expire_after,
		  void *arg)
{
	TimerSearch *search = arg;
	Timer		*last = search->timers ? llast(search->timers) : NULL;
	TimestampTz	 latest = span_start_before(search->now, expire_after);
	Timer		*timer;

	if (last && last->orders == orders && strcmp(last->status, status) == 0)
	{
		last->latest = Max(last->latest, latest);
		return;
	}
	timer = palloc(sizeof(Timer));
	*timer = (Timer){orders, pstrdup(status), latest};
	search->timers = lappend(search->timers, timer);
}

/* A timer of a distributed table is one of each of its shards here. */
static List *
timers_of_shards(List *timers)
{
	List	 *all = NIL;
	ListCell *lc;

	foreach(lc, timers)
	{
		Timer	 *timer = lfirst(lc);
		ListCell *shard;

		foreach(shard, shard_relations(timer->orders))
		{
			Timer *copy = palloc(sizeof(Timer));

			*copy = *timer;
			copy->orders = lfirst_oid(shard);
			all = lappend(all, copy);
		}
	}
	return all;
}

List *
sweep_find_timers(void)
{
	TimerSearch search = {.now = guc_now()};

	policy_load_timers(add_timer, &search);
	return timers_of_shards(search.timers);
}

static char *
search_failure(void *arg)
{
	Expiry *x = arg;

	return psprintf(
		"could not look for expired orders of %s with status \"%s\"",
		x->table.label, text_clip(x->timer->status, 80));
}

static char *
chunk_failure(void *arg)
{
	Expiry *x = arg;

	return psprintf("could not cancel expired orders of %s", x->table.label);
}

/* Keeps the keys of orders that are expired and have no live cancellation. */
static void
find_in(Expiry *x, DueSearch *search)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext rows = AllocSetContextCreate(caller, "ordcancel due orders",
											   ALLOCSET_DEFAULT_SIZES);
	TimestampTz	  now = guc_now();
	int			  count;

	do
	{
		CancelTarget *targets;

		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(rows);
		targets = order_due_next(search, &count);
		if (count > 0)
		{
			lifecycle_drop_unexpired(targets, count, now);
			order_hide_deleted(targets, count); /* before it is locked */
		}
		MemoryContextSwitchTo(x->table.keep);
		for (int i = 0; i < count; i++)
			if (targets[i].result == TARGET_OPEN)
				x->keys = lappend(x->keys, pstrdup(targets[i].key_text));
		MemoryContextSwitchTo(caller);
		MemoryContextReset(rows);
	} while (count > 0);
	MemoryContextDelete(rows);
}

static void
find_expired(void *arg)
{
	Expiry	   *x = arg;
	const char *status = x->timer->status;
	OrderTable *table;
	DueSearch	search;
	RunAsScope	scope;

	PushActiveSnapshot(GetTransactionSnapshot());
	table = args_table(false, x->table.relid, AccessShareLock);
	run_as_owner(&scope, table);

	/* A status that means a cancellation has no timer, and many orders. */
	if (policy_cache_status_kind(table, policy_cache_get(table, NULL),
								 status) == STATUS_ORDINARY &&
		order_due_begin(&search, table, status, x->timer->latest))
	{
		find_in(x, &search);
		order_due_end(&search);
	}
	run_as_end(&scope);
	PopActiveSnapshot();
}

static void
report(Expiry *x, const char *order, const Refusal *refusal)
{
	MemoryContext caller = MemoryContextSwitchTo(x->table.keep);

	if (x->refused == 0)
	{
		initStringInfo(&x->reported);
		x->sqlstate = refusal->sqlstate;
		x->first = psprintf("order %s of %s: %s", text_clip(order, 80),
							x->table.label, refusal->message);
	}
	if (x->refused < REPORTED_MAX)
		appendStringInfo(&x->reported, "%sOrder %s: %s%s",
						 x->refused ? "\n" : "", text_clip(order, 80),
						 refusal->detail ? refusal->detail : refusal->message,
						 refusal->detail ? "" : ".");
	x->refused++;
	MemoryContextSwitchTo(caller);
}

/* Continues at x->reading, the key to which an error belongs. */
static void
read_keys(void *arg)
{
	Expiry		*x = arg;
	CancelTarget c = {.table = x->order_table};

	for (; x->reading < x->count; x->reading++)
	{
		char *key = list_nth(x->keys, x->done + x->reading);

		args_read_key(&c, CStringGetTextDatum(key), false, TEXTOID);
		x->order_keys[x->readable++] = c.key;
	}
}

static int
compare_keys(const void *a, const void *b, void *arg)
{
	return order_key_compare(arg, *(Datum *const *) a, *(Datum *const *) b);
}

/* Sorted, since they are locked in this order. */
static void
take_keys(Expiry *x)
{
	ErrorData *error;
	RunAsScope scope;

	x->reading = x->readable = 0;
	x->order_keys = palloc(x->count * sizeof(Datum *));

	/* As the owner: the text of a regclass key depends on the search_path. */
	run_as_owner(&scope, x->order_table);
	while ((error = subxact_try(read_keys, x)) != NULL)
	{
		Refusal refusal = refusal_of_error(error);

		CHECK_FOR_INTERRUPTS();
		report(x, list_nth(x->keys, x->done + x->reading), &refusal);
		x->reading++;
	}
	qsort_arg(x->order_keys, x->readable, sizeof(Datum *), compare_keys,
			  x->order_table);
	run_as_end(&scope);
}

static void
cancel_chunk(void *arg)
{
	Expiry		 *x = arg;
	CancelArgs	  args = {.verb = VERB_EXPIRE,
						  .party = PARTY_SYSTEM,
						  .source = "sweep",
						  .actor = "sweep",
						  .skip_locked = true};
	CancelTarget *targets;

	PushActiveSnapshot(GetTransactionSnapshot());
	x->order_table = args_table(false, x->table.relid, RowExclusiveLock);
	args_hold_shard(x->order_table);
	take_keys(x);
	targets = palloc0(Max(x->readable, 1) * sizeof(CancelTarget));
	for (int i = 0; i < x->readable; i++)
	{
		targets[i].table = x->order_table;
		targets[i].key = x->order_keys[i];
	}
	if (x->readable > 0)
		bulk_run(targets, x->readable, &args, !x->table.atomic);
	for (int i = 0; i < x->readable; i++)
	{
		CancelTarget *c = &targets[i];

		if (c->result == TARGET_NOT_FOUND) /* it was deleted meanwhile */
			continue;
		bulk_set_refusal(c);
		if (c->result == TARGET_REFUSED)
			report(x, c->key_text, &c->outcome.refusal);
	}
	PopActiveSnapshot();
}

static void
warn_of_refused(const Expiry *x)
{
	if (x->refused == 0)
		return;
	if (x->refused > REPORTED_MAX)
		appendStringInfo((StringInfo) &x->reported,
						 "\nAnd " INT64_FORMAT " more.",
						 x->refused - REPORTED_MAX);
	ereport(WARNING,
			(errcode(x->sqlstate),
			 x->refused == 1 ?
				 errmsg("could not cancel expired %s", x->first) :
				 errmsg("could not cancel " INT64_FORMAT
						" expired orders of %s",
						x->refused, x->table.label),
			 errdetail_internal("%s", x->reported.data)));
}

void
sweep_timer(const void *timer, bool atomic)
{
	Expiry x = {.timer = timer};

	if (!sweep_begin_table(&x.table, x.timer->orders, atomic))
		return;
	sweep_step(&x.table, find_expired, &x, search_failure);
	while (x.done < list_length(x.keys))
	{
		x.count = Min(CHUNK, list_length(x.keys) - x.done);
		sweep_step(&x.table, cancel_chunk, &x, chunk_failure);
		x.done += x.count;
	}
	warn_of_refused(&x);
	list_free_deep(x.keys);
	pfree(x.table.label);
}

/* (orders, order_id): why the order cannot be canceled; for health(). */
Datum
ordcancel_expiry_refusal(PG_FUNCTION_ARGS)
{
	CancelTarget c = {
		.table = args_table(false, PG_GETARG_OID(0), AccessShareLock)};
	char	  *why = NULL;
	RunAsScope scope;

	run_as_owner_spi(&scope, c.table);
	args_read_key(&c, PG_GETARG_DATUM(1), false, TEXTOID);
	order_read(&c, 1, READ_CALLER);
	if (c.result == TARGET_OPEN)
	{
		record_peek(&c, 1);
		lifecycle_check(&c, VERB_EXPIRE, PARTY_SYSTEM, guc_now());
		if (c.decision.condition != CONDITION_NONE)
			why = lifecycle_explain(&c).message;
	}
	run_as_end_spi(&scope);
	if (why == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(why));
}
