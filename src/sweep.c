/*
 * sweep.c — the procedure that decides overdue requests
 *
 * Made for pg_cron.  Each order is decided in a subtransaction of its own and
 * committed before the next where the call allows it, so that no lock is held
 * for long, and the trouble of one order, or of one table, is only a warning.
 * An order that somebody has locked is left for the next time.
 *
 * A sweep touches every attached table by itself, often as a superuser, so
 * what an owner's triggers leave for the end of the transaction is run, or
 * refused, while it still runs as the owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "as_owner.h"
#include "config.h"
#include "entry.h"
#include "lifecycle.h"
#include "order_key.h"
#include "record.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(ordcancel_sweep);

/* One table, or one of its orders. */
typedef struct Sweep
{
	Oid			  relid;
	char		 *order_key; /* NULL: the table */
	bool		  atomic;
	List		 *keys; /* found for the table */
	MemoryContext keep; /* for keys */
} Sweep;

static void
collect_table(HeapTuple row, TupleDesc desc, void *arg)
{
	List **relids = arg;

	*relids = lappend_oid(*relids, config_oid(row, desc, 1));
}

static uint64
count_held_cursors(void)
{
	SPI_execute("SELECT FROM pg_catalog.pg_cursors AS c WHERE c.is_holdable",
				true, 0);
	return SPI_processed;
}

/* Nothing of the owner's code may wait for the commit, which is the caller's. */
static void
settle_owners_code(uint64 cursors)
{
	SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0);
	if (count_held_cursors() > cursors)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a trigger left a cursor WITH HOLD behind")));
}

static void
decide_order(Sweep *sweep)
{
	OrderCase  c = {0};
	OwnerScope scope;
	Outcome	   o = {.result = CASE_DONE};
	char	  *why;
	uint64	   cursors = count_held_cursors();

	c.table = entry_table(false, sweep->relid, RowExclusiveLock);
	c.key = palloc(c.table->nkeys * sizeof(Datum));
	owner_enter(&scope, c.table);
	if (order_key_read(c.table, CStringGetTextDatum(sweep->order_key), false,
					   TEXTOID, c.key, &why))
		o = lifecycle_overdue(&c);
	if (!sweep->atomic)
		settle_owners_code(cursors);
	owner_leave(&scope);
	if (o.result == CASE_REFUSED)
		refusal_raise(&o.refusal);
}

static void
find_orders(Sweep *sweep)
{
	OrderTable	 *table = entry_table(false, sweep->relid, AccessShareLock);
	OwnerScope	  scope;
	MemoryContext caller;

	owner_enter(&scope, table);
	caller = MemoryContextSwitchTo(sweep->keep);
	sweep->keys = record_overdue(table, settings_now());
	MemoryContextSwitchTo(caller);
	owner_leave(&scope);
}

/*
 * Whoever cancels the sweep is obeyed; a trigger that says so, or that ran into
 * a lock_timeout of its own, is not.
 */
static bool
is_interrupt(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED && error->funcname &&
		strcmp(error->funcname, "ProcessInterrupts") == 0;
}

/* Runs a step in a subtransaction; its error becomes a warning. */
static void
attempt(void (*step)(Sweep *), Sweep *sweep)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel sweep",
												  ALLOCSET_SMALL_SIZES);
	ResourceOwner owner = CurrentResourceOwner;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(context);
	PG_TRY();
	{
		/* What SPI reads goes with its connection, so each step has its own. */
		SPI_connect();
		MemoryContextSwitchTo(context);
		step(sweep);
		SPI_finish();
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(context);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(context);
		CurrentResourceOwner = owner;
		if (is_interrupt(error))
			ReThrowError(error);
		ereport(
			WARNING,
			(errcode(error->sqlerrcode),
			 sweep->order_key ?
				 errmsg(
					 "overdue request of order %s of table \"%s\" was not decided: %s",
					 shorten(sweep->order_key, 80), get_rel_name(sweep->relid),
					 error->message) :
				 errmsg(
					 "overdue requests of table \"%s\" were not decided: %s",
					 get_rel_name(sweep->relid), error->message),
			 error->detail ? errdetail_internal("%s", error->detail) : 0));
		MemoryContextSwitchTo(caller);
	}
	PG_END_TRY();
	MemoryContextDelete(context);
}

static void
sweep_table(Oid relid, bool atomic)
{
	Sweep	  sweep = {.relid = relid,
					   .atomic = atomic,
					   .keep = CurrentMemoryContext};
	ListCell *lc;

	if (get_rel_name(relid) == NULL)
		return; /* dropped while attached */
	attempt(find_orders, &sweep);
	foreach(lc, sweep.keys)
	{
		CHECK_FOR_INTERRUPTS();
		sweep.order_key = lfirst(lc);
		attempt(decide_order, &sweep);
		if (!atomic)
			SPI_commit();
		MemoryContextSwitchTo(sweep.keep);
	}
	list_free_deep(sweep.keys);
}

Datum
ordcancel_sweep(PG_FUNCTION_ARGS)
{
	bool atomic = !(fcinfo->context && IsA(fcinfo->context, CallContext)) ||
		castNode(CallContext, fcinfo->context)->atomic;
	MemoryContext context;
	List		 *relids = NIL;
	ListCell	 *lc;

	SPI_connect_ext(atomic ? 0 : SPI_OPT_NONATOMIC);

	/* SPI's own context outlives the commits in between. */
	context = CurrentMemoryContext;
	config_scan("order_table", InvalidOid, collect_table, &relids);
	foreach(lc, relids)
	{
		MemoryContextSwitchTo(context);
		sweep_table(lfirst_oid(lc), atomic);
	}
	SPI_finish();
	PG_RETURN_VOID();
}
