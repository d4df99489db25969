/*
 * generated_columns.c — computes generated columns of a row that is not written
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "utils/rel.h"

#include "base/generated_columns.h"
#include "base/virtual_columns.h"

static HeapTuple
stored_columns_computed(HeapTuple row, Relation rel)
{
	TupleDesc		desc = RelationGetDescr(rel);
	EState		   *estate = CreateExecutorState();
	ResultRelInfo  *info = makeNode(ResultRelInfo);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	HeapTuple		computed;

	InitResultRelInfo(info, rel, 1, NULL, 0);
	ExecForceStoreHeapTuple(heap_copytuple(row), slot, true);

	/* Not as for an UPDATE, which computes only what it thinks has changed. */
	ExecComputeStoredGenerated(info, estate, slot, CMD_INSERT);
	computed = ExecCopySlotHeapTuple(slot);
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
	return computed;
}

HeapTuple
generated_columns_computed(HeapTuple row, Relation rel)
{
	TupleConstr *constraints = RelationGetDescr(rel)->constr;

	if (constraints && constraints->has_generated_stored)
		row = stored_columns_computed(row, rel);
	return virtual_columns_computed(row, rel);
}
