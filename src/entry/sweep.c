/*
 * sweep.c — the procedure sweep, which decides overdue requests
 *
 * Made for pg_cron.  Expired orders: sweep_timers.c.  Each request is decided in a subtransaction of its own.  If
 * the CALL is not in a transaction block, the sweep commits after each order
 * and each table, so that it holds few locks, and only for a short time.  An
 * error with one order or one table becomes a warning.  Orders that others
 * have locked are left to the next sweep.
 *
 * A sweep visits every attached table, often as a superuser.  So deferred
 * triggers are fired while it still runs as the owner of the table, and not
 * at the commit.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/text.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "entry/args.h"
#include "entry/sweep.h"
#include "lifecycle/lifecycle.h"
#include "rows/record.h"

PG_FUNCTION_INFO_V1(ordcancel_sweep);

typedef struct AttachedTable
{
	Oid relid;
	Oid cancellation_table;
} AttachedTable;

/* The search for tables with overdue requests. */
typedef struct Search
{
	List		 *tables; /* all attached tables, as AttachedTable */
	int			  next;	  /* the one to be searched */
	List		 *found;  /* OIDs of those to be swept */
	TimestampTz	  now;
	MemoryContext keep; /* for the lists */
} Search;

/* The overdue requests of one table. */
typedef struct Overdue
{
	SweptTable table;
	char	  *order_key; /* NULL while finding orders */
	List	  *keys;	  /* of orders with overdue requests */
} Overdue;

static void
collect_table(Oid relid, Oid cancellation_table, void *arg)
{
	Search		  *search = arg;
	AttachedTable *table = palloc(sizeof(AttachedTable));

	*table = (AttachedTable){relid, cancellation_table};
	search->tables = lappend(search->tables, table);
}

static void
keep_table(Search *search, Oid relid)
{
	MemoryContext caller = MemoryContextSwitchTo(search->keep);

	search->found = lappend_oid(search->found, relid);
	MemoryContextSwitchTo(caller);
}

/* Continues at search->next, the table to which an error belongs. */
static void
search_tables(void *arg)
{
	Search *search = arg;

	PushActiveSnapshot(GetTransactionSnapshot());
	for (; search->next < list_length(search->tables); search->next++)
	{
		AttachedTable *table = list_nth(search->tables, search->next);

		CHECK_FOR_INTERRUPTS();
		if (record_may_be_overdue(table->cancellation_table, search->now))
			keep_table(search, table->relid);
	}
	PopActiveSnapshot();
}

/*
 * Most tables have nothing to decide.  They are all searched in one transaction,
 * which keeps no lock on them.  A table whose search fails is swept as well, so
 * that its error becomes a warning there.
 */
static List *
find_tables(void)
{
	Search search = {.now = guc_now(), .keep = CurrentMemoryContext};

	order_table_scan(InvalidOid, collect_table, &search);
	while (subxact_try(search_tables, &search) != NULL &&
		   search.next < list_length(search.tables))
	{
		AttachedTable *table = list_nth(search.tables, search.next);

		CHECK_FOR_INTERRUPTS();
		keep_table(&search, table->relid);
		search.next++;
	}
	list_free_deep(search.tables);
	return search.found;
}

static void
decide_order(void *arg)
{
	Overdue		*overdue = arg;
	CancelTarget c = {0};
	RunAsScope	 scope;

	/* SPI_commit leaves no snapshot; the owner's code may need one. */
	PushActiveSnapshot(GetTransactionSnapshot());
	c.table = args_table(false, overdue->table.relid, RowExclusiveLock);
	args_hold_shard(c.table);
	/* As the owner: the text of a regclass key depends on the search_path. */
	run_as_owner(&scope, c.table);
	args_read_key(&c, CStringGetTextDatum(overdue->order_key), false, TEXTOID);
	lifecycle_overdue(&c);
	if (!overdue->table.atomic)
		run_as_fire_deferred();
	run_as_end(&scope);
	PopActiveSnapshot();
	if (c.result == TARGET_REFUSED)
		refusal_raise(&c.outcome.refusal);
}

static void
find_orders(void *arg)
{
	Overdue		 *overdue = arg;
	OrderTable	 *table;
	RunAsScope	  scope;
	MemoryContext caller;

	PushActiveSnapshot(GetTransactionSnapshot());
	table = args_table(false, overdue->table.relid, AccessShareLock);
	run_as_owner(&scope, table);
	caller = MemoryContextSwitchTo(overdue->table.keep);
	overdue->keys = record_find_overdue(table, guc_now());
	MemoryContextSwitchTo(caller);
	run_as_end(&scope);
	PopActiveSnapshot();
}

static char *
failure(void *arg)
{
	Overdue *overdue = arg;

	return overdue->order_key ?
		psprintf("could not decide overdue request of order %s of %s",
				 text_clip(overdue->order_key, 80), overdue->table.label) :
		psprintf("could not decide overdue requests of %s",
				 overdue->table.label);
}

/* Runs a step; its error becomes a warning. */
static void
try_or_warn(SubxactStep step, void *arg, char *(*what_failed)(void *arg))
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel sweep",
												  ALLOCSET_SMALL_SIZES);
	ErrorData	 *error;

	MemoryContextSwitchTo(context);
	error = subxact_try(step, arg);
	if (error)
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("%s: %s", what_failed(arg), error->message),
				 error->detail ? errdetail_internal("%s", error->detail) : 0));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

void
sweep_step(const SweptTable *table, SubxactStep step, void *arg,
		   char *(*what_failed)(void *arg))
{
	CHECK_FOR_INTERRUPTS();
	try_or_warn(step, arg, what_failed);
	if (!table->atomic)
		SPI_commit();
	MemoryContextSwitchTo(table->keep);
}

bool
sweep_begin_table(SweptTable *table, Oid relid, bool atomic)
{
	if (get_rel_name(relid) == NULL)
		return false; /* dropped while attached */
	*table = (SweptTable){
		.relid = relid,
		.label = relation_label(relid),
		.atomic = atomic,
		.keep = CurrentMemoryContext,
	};
	return true;
}

static void
sweep_requests(Oid relid, bool atomic)
{
	Overdue	  overdue = {.keys = NIL};
	ListCell *lc;

	if (!sweep_begin_table(&overdue.table, relid, atomic))
		return;
	sweep_step(&overdue.table, find_orders, &overdue, failure);
	foreach(lc, overdue.keys)
	{
		overdue.order_key = lfirst(lc);
		sweep_step(&overdue.table, decide_order, &overdue, failure);
	}
	list_free_deep(overdue.keys);
	pfree(overdue.table.label);
}

Datum
ordcancel_sweep(PG_FUNCTION_ARGS)
{
	bool		  atomic = args_call_is_atomic(fcinfo);
	MemoryContext context;
	List		 *tables;
	List		 *timers;
	ListCell	 *lc;

	PreventCommandIfReadOnly("sweep()");
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);

	/* The context of this SPI connection outlives the commits. */
	context = CurrentMemoryContext;
	tables = find_tables();
	timers = sweep_find_timers();
	foreach(lc, tables)
	{
		MemoryContextSwitchTo(context);
		sweep_requests(lfirst_oid(lc), atomic);
	}
	foreach(lc, timers)
	{
		MemoryContextSwitchTo(context);
		sweep_timer(lfirst(lc), atomic);
	}
	SPI_finish();
	PG_RETURN_VOID();
}
