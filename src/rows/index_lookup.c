/*
 * index_lookup.c — finds rows by an index scan, without running a statement
 */
#include "postgres.h"

#include "access/tableam.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/read_snapshot.h"
#include "rows/index_lookup.h"

void
index_lookup_begin(IndexLookup *lookup, Relation rel, Oid index,
				   const Column *keys, int nkeys, ReadSnapshot snapshot)
{
	read_snapshot_push(snapshot);
	lookup->rel = rel;
	lookup->index = index_open(index, AccessShareLock);
	lookup->nkeys = nkeys;
	lookup->slot = table_slot_create(rel, NULL);
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitializeWithInfo(&lookup->keys[i], 0, i + 1,
									   BTEqualStrategyNumber, InvalidOid,
									   lookup->index->rd_indcollation[i],
									   (FmgrInfo *) &keys[i].equal_function,
									   (Datum) 0);
	lookup->scan = begin_index_scan(rel, lookup->index, GetActiveSnapshot(),
									nkeys);
}

bool
index_lookup_find(IndexLookup *lookup, const Datum *key,
				  ScanDirection direction)
{
	for (int i = 0; i < lookup->nkeys; i++)
		lookup->keys[i].sk_argument = key[i];
	index_rescan(lookup->scan, lookup->keys, lookup->nkeys, NULL, 0);
	return index_getnext_slot(lookup->scan, direction, lookup->slot);
}

bool
index_lookup_next(IndexLookup *lookup, ScanDirection direction)
{
	return index_getnext_slot(lookup->scan, direction, lookup->slot);
}

void
index_lookup_end(IndexLookup *lookup)
{
	index_endscan(lookup->scan);
	ExecDropSingleTupleTableSlot(lookup->slot);
	index_close(lookup->index, NoLock);
	PopActiveSnapshot();
}
