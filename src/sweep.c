/*
 * sweep.c — the procedure that decides overdue requests
 *
 * Made for pg_cron.  Each order is decided in a subtransaction of its own and
 * committed before the next where the call allows it, so that no lock is held
 * for long and one order's trouble is only a warning.  An order that somebody
 * has locked is left for the next time.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/resowner.h"
#include "utils/syscache.h"

#include "as_owner.h"
#include "config.h"
#include "entry.h"
#include "lifecycle.h"
#include "order_key.h"
#include "record.h"
#include "settings.h"

PG_FUNCTION_INFO_V1(ordcancel_sweep);

static void
collect_table(HeapTuple row, TupleDesc desc, void *arg)
{
	List **relids = arg;

	*relids = lappend_oid(*relids, config_oid(row, desc, 1));
}

/* Decides one order; an error becomes a warning. */
static void
sweep_order(Oid relid, char *order_key)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	OrderCase	  c = {0};
	OwnerScope	  scope;
	Outcome		  o;
	char		 *why;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		c.table = entry_table(false, relid, RowExclusiveLock);
		c.key = palloc(c.table->nkeys * sizeof(Datum));
		owner_enter(&scope, c.table);
		if (order_key_read(c.table, CStringGetTextDatum(order_key), false,
						   TEXTOID, c.key, &why))
		{
			o = lifecycle_overdue(&c);
			if (o.result == CASE_REFUSED)
				ereport(WARNING,
						(errcode(condition_sqlstate(o.refusal.condition)),
						 errmsg("overdue request was not decided: %s",
								o.refusal.message)));
		}
		owner_leave(&scope);
		ReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
		MemoryContextSwitchTo(caller);
		CurrentResourceOwner = owner;
		if (error->sqlerrcode == ERRCODE_QUERY_CANCELED ||
			ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
				ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION))
			ReThrowError(error);
		ereport(WARNING,
				(errcode(error->sqlerrcode),
				 errmsg("overdue request was not decided: %s",
						error->message)));
		FreeErrorData(error);
	}
	PG_END_TRY();
}

static void
sweep_table(Oid relid, bool atomic)
{
	OrderTable *table;
	OwnerScope	scope;
	List	   *keys;
	ListCell   *lc;

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		return; /* dropped while attached */
	table = entry_table(false, relid, AccessShareLock);
	owner_enter(&scope, table);
	keys = record_overdue(table, settings_now());
	owner_leave(&scope);

	foreach(lc, keys)
	{
		CHECK_FOR_INTERRUPTS();
		sweep_order(relid, lfirst(lc));
		if (!atomic)
			SPI_commit();
	}
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
