/*
 * sweep.c — the procedure sweep, which decides overdue requests
 *
 * Made for pg_cron.  Each order is decided in a subtransaction of its own.  If
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

#include "base/subxact.h"
#include "base/text.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "entry/args.h"
#include "lifecycle/lifecycle.h"
#include "rows/record.h"

PG_FUNCTION_INFO_V1(ordcancel_sweep);

typedef struct SweptTable
{
	Oid relid;
	Oid cancellation_table;
} SweptTable;

/* The search for tables with overdue requests. */
typedef struct Search
{
	List		 *tables; /* all attached tables, as SweptTable */
	int			  next;	  /* the one to be searched */
	List		 *found;  /* OIDs of those to be swept */
	TimestampTz	  now;
	MemoryContext keep; /* for the lists */
} Search;

/* One table, or one of its orders. */
typedef struct Sweep
{
	Oid			  relid;
	char		 *label;	 /* quoted and qualified name */
	char		 *order_key; /* NULL while finding orders */
	bool		  atomic;
	List		 *keys; /* of orders with overdue requests */
	MemoryContext keep; /* for keys */
} Sweep;

static void
collect_table(Oid relid, Oid cancellation_table, void *arg)
{
	Search	   *search = arg;
	SweptTable *table = palloc(sizeof(SweptTable));

	*table = (SweptTable){relid, cancellation_table};
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
		SweptTable *table = list_nth(search->tables, search->next);

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
		SweptTable *table = list_nth(search.tables, search.next);

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
	Sweep		*sweep = arg;
	CancelTarget c = {0};
	RunAsScope	 scope;

	/* SPI_commit leaves no snapshot; the owner's code may need one. */
	PushActiveSnapshot(GetTransactionSnapshot());
	c.table = args_table(false, sweep->relid, RowExclusiveLock);
	/* As the owner: the text of a regclass key depends on the search_path. */
	run_as_owner(&scope, c.table);
	args_read_key(&c, CStringGetTextDatum(sweep->order_key), false, TEXTOID);
	lifecycle_overdue(&c);
	if (!sweep->atomic)
		run_as_fire_deferred();
	run_as_end(&scope);
	PopActiveSnapshot();
	if (c.result == TARGET_REFUSED)
		refusal_raise(&c.outcome.refusal);
}

static void
find_orders(void *arg)
{
	Sweep		 *sweep = arg;
	OrderTable	 *table;
	RunAsScope	  scope;
	MemoryContext caller;

	PushActiveSnapshot(GetTransactionSnapshot());
	table = args_table(false, sweep->relid, AccessShareLock);
	run_as_owner(&scope, table);
	caller = MemoryContextSwitchTo(sweep->keep);
	sweep->keys = record_find_overdue(table, guc_now());
	MemoryContextSwitchTo(caller);
	run_as_end(&scope);
	PopActiveSnapshot();
}

/* Runs a step; its error becomes a warning. */
static void
try_or_warn(SubxactStep step, Sweep *sweep)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel sweep",
												  ALLOCSET_SMALL_SIZES);
	ErrorData	 *error;

	MemoryContextSwitchTo(context);
	error = subxact_try(step, sweep);
	if (error)
		ereport(
			WARNING,
			(errcode(error->sqlerrcode),
			 sweep->order_key ?
				 errmsg(
					 "could not decide overdue request of order %s of %s: %s",
					 text_clip(sweep->order_key, 80), sweep->label,
					 error->message) :
				 errmsg("could not decide overdue requests of %s: %s",
						sweep->label, error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0));
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}

/* Runs a step, and commits it if possible. */
static void
run_step(SubxactStep step, Sweep *sweep)
{
	CHECK_FOR_INTERRUPTS();
	try_or_warn(step, sweep);
	if (!sweep->atomic)
		SPI_commit();
	MemoryContextSwitchTo(sweep->keep);
}

static void
sweep_table(Oid relid, bool atomic)
{
	Sweep	  sweep = {.relid = relid,
					   .atomic = atomic,
					   .keep = CurrentMemoryContext};
	char	 *name = get_rel_name(relid);
	ListCell *lc;

	if (name == NULL)
		return; /* dropped while attached */
	sweep.label = quote_qualified_identifier(get_namespace_name(
												 get_rel_namespace(relid)),
											 name);
	run_step(find_orders, &sweep);
	foreach(lc, sweep.keys)
	{
		sweep.order_key = lfirst(lc);
		run_step(decide_order, &sweep);
	}
	list_free_deep(sweep.keys);
	pfree(sweep.label);
}

Datum
ordcancel_sweep(PG_FUNCTION_ARGS)
{
	bool		  atomic = args_call_is_atomic(fcinfo);
	MemoryContext context;
	ListCell	 *lc;

	PreventCommandIfReadOnly("sweep()");
	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);

	/* The context of this SPI connection outlives the commits. */
	context = CurrentMemoryContext;
	foreach(lc, find_tables())
	{
		MemoryContextSwitchTo(context);
		sweep_table(lfirst_oid(lc), atomic);
	}
	SPI_finish();
	PG_RETURN_VOID();
}
