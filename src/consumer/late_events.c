/*
 * late_events.c — events that replication inserts
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/xlog.h"
#include "catalog/indexing.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "config/config_table.h"
#include "config/node_ids.h"
#include "consumer/late_events.h"

enum
{
	LATE_CLUSTER = 1,
	LATE_XID,
	LATE_EVENT_ID,
	LATE_COLUMNS = LATE_EVENT_ID,
};

static Relation
open_late_events(LOCKMODE lock)
{
	Oid relid = config_relation("late_event");

	if (!OidIsValid(relid))
		config_raise_dropped();
	return table_open(relid, lock);
}

/* Without triggers, which keep out all others who write. */
void
late_events_note(uint64 xid, int64 event_id)
{
	Datum values[LATE_COLUMNS] = {Int64GetDatum((int64) GetSystemIdentifier()),
								  Int64GetDatum((int64) xid),
								  Int64GetDatum(event_id)};
	bool  nulls[LATE_COLUMNS] = {false};
	Relation  rel;
	HeapTuple row;

	/* Where reports of many databases are read, all of their events are late. */
	node_follow(config_relation("event_id_seq"));
	if (event_id > last_event_id())
		return;
	if (xid == event_horizon_own_xid())
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg(
				 "cannot insert events of another database in a transaction that has read events")));
	rel = open_late_events(RowExclusiveLock);
	row = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	CatalogTupleInsert(rel, row);
	heap_freetuple(row);
	table_close(rel, NoLock);
}

int64
late_events_start(const EventHorizon *horizon, int64 cluster)
{
	Relation	rel = open_late_events(AccessShareLock);
	ScanKeyData keys[2];
	SysScanDesc scan;
	HeapTuple	row;
	int64		start = PG_INT64_MAX;
	bool		isnull;

	ScanKeyInit(&keys[0], LATE_CLUSTER, BTEqualStrategyNumber, F_INT8EQ,
				Int64GetDatum(cluster));
	ScanKeyInit(&keys[1], LATE_XID, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum((int64) event_horizon_first_xid(horizon)));
	scan = systable_beginscan(rel,
							  get_relname_relid("late_event_pkey",
												RelationGetNamespace(rel)),
							  true, GetActiveSnapshot(), lengthof(keys), keys);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		uint64 xid = (uint64) DatumGetInt64(
			heap_getattr(row, LATE_XID, RelationGetDescr(rel), &isnull));
		int64 event_id = DatumGetInt64(
			heap_getattr(row, LATE_EVENT_ID, RelationGetDescr(rel), &isnull));

		if (!event_horizon_sees(horizon, xid, event_id))
			start = Min(start, event_id - 1);
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return start;
}
