/*
 * record_scan.c — reads the open cancellations of a table
 */
#include "postgres.h"

#include "access/detoast.h"
#include "access/genam.h"
#include "access/htup_details.h"
#include "access/relation.h"
#include "access/table.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/money.h"
#include "decision/refusal.h"
#include "rows/open_index.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_open.h"
#include "rows/record_scan.h"

static bool
find_columns(Relation rel, AttrNumber *attnums)
{
	return rel->rd_rel->relkind == RELKIND_RELATION &&
		record_find_columns(attnums, cancellation_columns, rel);
}

/*
 * Out-of-line values are fetched, because the TOAST table may be dropped once
 * the lock is released.
 */
static void
read_row(HeapTuple tuple, TupleDesc desc, const AttrNumber *attnums,
		 Datum *values, bool *nulls)
{
	for (int i = 0; i < CANCELLATION_COLUMNS; i++)
	{
		values[i] = heap_getattr(tuple, attnums[i], desc, &nulls[i]);
		if (!nulls[i] && TupleDescAttr(desc, attnums[i] - 1)->attlen == -1 &&
			VARATT_IS_EXTERNAL(DatumGetPointer(values[i])))
			values[i] = PointerGetDatum(detoast_external_attr(
				(struct varlena *) DatumGetPointer(values[i])));
	}
}

static bool
has_state(const Datum *values, const bool *nulls, State state)
{
	return !nulls[CANCELLATION_STATE] &&
		strcmp(TextDatumGetCString(values[CANCELLATION_STATE]),
			   state_name(state)) == 0;
}

static bool
is_refund_due(const Datum *values, const bool *nulls)
{
	return !nulls[CANCELLATION_REFUNDED] && !nulls[CANCELLATION_REFUND_DUE] &&
		money_compare(DatumGetNumeric(values[CANCELLATION_REFUNDED]),
					  DatumGetNumeric(values[CANCELLATION_REFUND_DUE])) < 0;
}

static bool
is_of_kind(const Datum *values, const bool *nulls, OpenKind kind)
{
	if (kind == OPEN_REQUEST)
		return has_state(values, nulls, STATE_REQUESTED);
	return has_state(values, nulls, STATE_IN_PROGRESS) ||
		(has_state(values, nulls, STATE_CANCELED) &&
		 is_refund_due(values, nulls));
}

/* Without a usable index, all rows are read. */
static void
scan_table(Relation rel, const AttrNumber *attnums, OpenKind kind,
		   RecordScanCallback row, void *arg)
{
	Oid			  index = open_index_find(RelationGetRelid(rel), kind);
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel row",
												  ALLOCSET_SMALL_SIZES);
	Datum		  values[CANCELLATION_COLUMNS];
	bool		  nulls[CANCELLATION_COLUMNS];
	bool		  more = true;
	HeapTuple	  tuple;
	SysScanDesc	  scan;

	scan = systable_beginscan(rel, index, OidIsValid(index),
							  GetActiveSnapshot(), 0, NULL);
	while (more && HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextSwitchTo(context);
		read_row(tuple, RelationGetDescr(rel), attnums, values, nulls);
		if (is_of_kind(values, nulls, kind))
			more = row(values, nulls, arg);
		MemoryContextSwitchTo(caller);
		MemoryContextReset(context);
	}
	systable_endscan(scan);
	MemoryContextDelete(context);
}

static bool
open_and_scan(Oid cancellation_table, OpenKind kind, RecordScanCallback row,
			  void *arg)
{
	Relation   rel = OidIsValid(cancellation_table) ?
		  try_relation_open(cancellation_table, AccessShareLock) :
		  NULL;
	AttrNumber attnums[CANCELLATION_COLUMNS];
	bool	   readable;

	if (rel == NULL)
		return false;
	readable = find_columns(rel, attnums);
	if (readable)
		scan_table(rel, attnums, kind, row, arg);
	relation_close(rel, AccessShareLock);
	return readable;
}

bool
record_scan(Oid cancellation_table, OpenKind kind, ReadSnapshot snapshot,
			RecordScanCallback row, void *arg)
{
	bool readable;

	read_snapshot_push(snapshot);
	readable = open_index_content(cancellation_table, kind) ==
			OPEN_INDEX_EMPTY ||
		open_and_scan(cancellation_table, kind, row, arg);
	PopActiveSnapshot();
	return readable;
}

void
record_scan_check(Oid cancellation_table)
{
	Relation   rel = record_open(cancellation_table, AccessShareLock);
	AttrNumber attnums[CANCELLATION_COLUMNS];

	if (!find_columns(rel, attnums))
		refusal_raise_invalid_policy(
			psprintf("record table \"%s\" does not match its order table",
					 RelationGetRelationName(rel)),
			"It lacks a column.", "Call ordcancel.attach() again.");
	table_close(rel, AccessShareLock);
}
