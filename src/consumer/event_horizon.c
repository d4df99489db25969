/*
 * event_horizon.c — which transactions' events a reader has seen
 */
#include "postgres.h"

#include "access/subtrans.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/proc.h"
#include "storage/procarray.h"
#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "config/config_table.h"
#include "config/node_ids.h"
#include "consumer/event_horizon.h"

/* The numbers in the array before those of running transactions. */
#define HEADER_NUMBERS 5

/*
 * So many transaction IDs are looked at, one by one, to find out whether a
 * transaction may have events that a horizon does not see.
 */
#define EARLY_TRANSACTIONS 1000

static EventHorizon *
make_horizon(int capacity)
{
	return palloc0(offsetof(EventHorizon, running) +
				   capacity * sizeof(RunningTransaction));
}

int64
last_event_id(void)
{
	return node_last_id(config_relation("event_id_seq"));
}

/* A transaction ID of a snapshot; it is not later than "next". */
static uint64
full_xid(TransactionId xid, FullTransactionId next)
{
	uint32 epoch = EpochFromFullTransactionId(next);

	if (xid > XidFromFullTransactionId(next))
		epoch--;
	return U64FromFullTransactionId(
		FullTransactionIdFromEpochAndXid(epoch, xid));
}

static int
compare_xid(const void *a, const void *b)
{
	uint64 left = ((const RunningTransaction *) a)->xid;
	uint64 right = ((const RunningTransaction *) b)->xid;

	return left < right ? -1 : left > right ? 1 : 0;
}

static const RunningTransaction *
find_running(const EventHorizon *h, uint64 xid)
{
	RunningTransaction key = {.xid = xid};

	return h->count == 0 ?
		NULL :
		bsearch(&key, h->running, h->count, sizeof(key), compare_xid);
}

static void
add_running(EventHorizon *h, uint64 xid, int64 event_id)
{
	h->running[h->count++] = (RunningTransaction){xid, event_id};
}

/* A running transaction of another database has no events of this one. */
static bool
is_elsewhere(TransactionId xid)
{
	int		pid = BackendXidGetPid(xid);
	PGPROC *proc = pid == 0 ? NULL : BackendPidGetProc(pid);

	return proc && OidIsValid(proc->databaseId) &&
		proc->databaseId != MyDatabaseId &&
		BackendXidGetPid(xid) == pid; /* it is still of the same session */
}

/* The ID above which the unseen events of a transaction are. */
static int64
lower_bound(const EventHorizon *previous, uint64 xid)
{
	const RunningTransaction *r;

	if (previous == NULL)
		return 0;
	if (xid >= previous->next_xid)
		return previous->last_id;
	r = find_running(previous, xid);
	return r ? r->event_id : previous->early_id;
}

/* The last transaction of this session that took a horizon of its own. */
static uint64 last_own_xid = 0;

uint64
event_horizon_own_xid(void)
{
	return last_own_xid;
}

/* The same for all transactions from xmax on, which is not below previous's. */
static int64
early_bound(const EventHorizon *previous, uint64 xmax)
{
	if (previous == NULL)
		return 0;
	return xmax >= previous->next_xid ? previous->last_id : previous->early_id;
}

/*
 * Can a transaction that is not this one have written events that a snapshot
 * with this xmax does not see?  One that has just committed can.
 */
static bool
has_early_transactions(uint64 xmax, uint64 next_xid)
{
	for (uint64 full = xmax; full < next_xid; full++)
	{
		TransactionId xid = XidFromFullTransactionId(
			FullTransactionIdFromU64(full));

		if (full - xmax >= EARLY_TRANSACTIONS ||
			(TransactionIdIsNormal(xid) &&
			 !TransactionIdIsCurrentTransactionId(xid) &&
			 !TransactionIdDidAbort(xid) &&
			 !is_elsewhere(SubTransGetTopmostTransaction(xid))))
			return true;
	}
	return false;
}

/* The order of the first three steps matters, see event_horizon.h. */
EventHorizon *
event_horizon_take(const EventHorizon *previous)
{
	int64  last_id = last_event_id();
	uint64 next = U64FromFullTransactionId(ReadNextFullTransactionId());
	FullTransactionId now, own;
	Snapshot		  snapshot;
	EventHorizon	 *h;

	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	snapshot = GetActiveSnapshot();
	now = ReadNextFullTransactionId();
	own = GetTopFullTransactionIdIfAny();

	h = make_horizon(snapshot->xcnt + 1);
	h->last_id = last_id;
	h->next_xid = next;
	h->xmax = full_xid(snapshot->xmax, now);
	for (uint32 i = 0; i < snapshot->xcnt; i++)
	{
		uint64 xid = full_xid(snapshot->xip[i], now);

		if (!is_elsewhere(snapshot->xip[i]))
			add_running(h, xid, lower_bound(previous, xid));
	}
	if (FullTransactionIdIsValid(own))
	{
		h->own_xid = last_own_xid = U64FromFullTransactionId(own);
		add_running(h, h->own_xid, last_id);
	}
	qsort(h->running, h->count, sizeof(RunningTransaction), compare_xid);
	h->early_id = has_early_transactions(h->xmax, next) ?
		early_bound(previous, h->xmax) :
		last_id;
	return h;
}

bool
event_horizon_is_foreign(const EventHorizon *h)
{
	return h->xmax > U64FromFullTransactionId(ReadNextFullTransactionId());
}

bool
event_horizon_sees(const EventHorizon *h, uint64 xid, int64 event_id)
{
	const RunningTransaction *r = find_running(h, xid);

	return r ? xid == h->own_xid && event_id <= r->event_id : xid < h->xmax;
}

int64
event_horizon_start(const EventHorizon *h, const EventHorizon *now)
{
	int64 start = h->last_id;

	if (now->xmax > h->xmax)
		start = Min(start, h->early_id);
	/* One that is still running has no visible event. */
	for (int i = 0; i < h->count; i++)
	{
		const RunningTransaction *r = &h->running[i];
		const RunningTransaction *later = find_running(now, r->xid);

		if (later == NULL || later->event_id > r->event_id)
			start = Min(start, r->event_id);
	}
	return start;
}

int64
event_horizon_settled(const EventHorizon *h)
{
	int64 settled = Min(h->last_id, h->early_id);

	for (int i = 0; i < h->count; i++)
		settled = Min(settled, h->running[i].event_id);
	return settled;
}

uint64
event_horizon_first_xid(const EventHorizon *h)
{
	return h->count > 0 ? Min(h->xmax, h->running[0].xid) : h->xmax;
}

ArrayType *
event_horizon_to_array(const EventHorizon *h)
{
	int	   count = HEADER_NUMBERS + 2 * h->count;
	Datum *numbers = palloc(count * sizeof(Datum));
	int	   n = 0;

	numbers[n++] = Int64GetDatum(h->last_id);
	numbers[n++] = Int64GetDatum((int64) h->next_xid);
	numbers[n++] = Int64GetDatum((int64) h->xmax);
	numbers[n++] = Int64GetDatum(h->early_id);
	numbers[n++] = Int64GetDatum((int64) h->own_xid);
	for (int i = 0; i < h->count; i++)
	{
		numbers[n++] = Int64GetDatum((int64) h->running[i].xid);
		numbers[n++] = Int64GetDatum(h->running[i].event_id);
	}
	return construct_array(numbers, count, INT8OID, sizeof(int64),
						   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE);
}

EventHorizon *
event_horizon_from_array(ArrayType *array)
{
	Datum		 *numbers;
	bool		 *nulls;
	int			  count;
	EventHorizon *h;

	deconstruct_array(array, INT8OID, sizeof(int64), FLOAT8PASSBYVAL,
					  TYPALIGN_DOUBLE, &numbers, &nulls, &count);
	if (count < HEADER_NUMBERS || (count - HEADER_NUMBERS) % 2 != 0 ||
		array_contains_nulls(array))
		ereport(ERROR,
				(errcode(ERRCODE_DATA_CORRUPTED),
				 errmsg("position of a consumer is invalid"),
				 errhint(
					 "Call ordcancel.drop_consumer() and create it again.")));
	h = make_horizon(count / 2);
	h->last_id = DatumGetInt64(numbers[0]);
	h->next_xid = (uint64) DatumGetInt64(numbers[1]);
	h->xmax = (uint64) DatumGetInt64(numbers[2]);
	h->early_id = DatumGetInt64(numbers[3]);
	h->own_xid = (uint64) DatumGetInt64(numbers[4]);
	for (int i = HEADER_NUMBERS; i < count; i += 2)
		add_running(h, (uint64) DatumGetInt64(numbers[i]),
					DatumGetInt64(numbers[i + 1]));
	return h;
}
