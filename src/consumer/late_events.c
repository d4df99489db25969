/*
 * late_events.c — events that replication inserts
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/namespace.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "config/config_table.h"
#include "consumer/late_events.h"

enum
{
	LATE_XID = 1,
	LATE_EVENT_ID,
	LATE_COLUMNS = LATE_EVENT_ID,
};

static Relation
open_late_events(LOCKMODE lock)
{
	Oid relid = get_relname_relid("late_event",
								  get_namespace_oid("ordcancel_internal",
													true));

	if (!OidIsValid(relid))
		config_raise_dropped();
	return table_open(relid, lock);
}

/* Without triggers: those of the table keep replicated rows out. */
void
late_events_note(uint64 xid, int64 event_id)
{
	Datum	  values[LATE_COLUMNS] = {Int64GetDatum((int64) xid),
									  Int64GetDatum(event_id)};
	bool	  nulls[LATE_COLUMNS] = {false};
	Relation  rel;
	HeapTuple row;

	if (event_id > last_event_id())
		return;
	rel = open_late_events(RowExclusiveLock);
	row = heap_form_tuple(RelationGetDescr(rel), values, nulls);
	CatalogTupleInsert(rel, row);
	heap_freetuple(row);
	table_close(rel, NoLock);
}

int64
late_events_start(const EventHorizon *horizon)
{
	Relation	rel = open_late_events(AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	row;
	int64		start = PG_INT64_MAX;
	bool		isnull;

	ScanKeyInit(&key, LATE_XID, BTGreaterEqualStrategyNumber, F_INT8GE,
				Int64GetDatum((int64) event_horizon_first_xid(horizon)));
	scan = systable_beginscan(rel,
							  get_relname_relid("late_event_pkey",
												RelationGetNamespace(rel)),
							  true, GetActiveSnapshot(), 1, &key);
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
