/*
 * row_probe.c — finding rows by an index, without a statement
 */
#include "postgres.h"

#include "access/tableam.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "rows/executor_compat.h"
#include "rows/index_lookup.h"

void
probe_begin(Probe *probe, Relation rel, Oid index, const Column *keys,
			int nkeys, Sight sight)
{
	sight_push(sight);
	probe->rel = rel;
	probe->index = index_open(index, AccessShareLock);
	probe->nkeys = nkeys;
	probe->slot = table_slot_create(rel, NULL);
	for (int i = 0; i < nkeys; i++)
		ScanKeyEntryInitializeWithInfo(&probe->keys[i], 0, i + 1,
									   BTEqualStrategyNumber, InvalidOid,
									   probe->index->rd_indcollation[i],
									   (FmgrInfo *) &keys[i].equal_function,
									   (Datum) 0);
	probe->scan = begin_index_scan(rel, probe->index, GetActiveSnapshot(),
								   nkeys);
}

bool
probe_find(Probe *probe, const Datum *key, ScanDirection direction)
{
	for (int i = 0; i < probe->nkeys; i++)
		probe->keys[i].sk_argument = key[i];
	index_rescan(probe->scan, probe->keys, probe->nkeys, NULL, 0);
	return index_getnext_slot(probe->scan, direction, probe->slot);
}

void
probe_end(Probe *probe)
{
	index_endscan(probe->scan);
	ExecDropSingleTupleTableSlot(probe->slot);
	index_close(probe->index, NoLock);
	PopActiveSnapshot();
}
