/*
 * executor_compat.h — how PostgreSQL 15 to 18 differ in the executor's calls
 */
#ifndef ORDCANCEL_EXECUTOR_COMPAT_H
#define ORDCANCEL_EXECUTOR_COMPAT_H

#include "access/genam.h"
#include "access/tableam.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"
#include "utils/rel.h"

/* PostgreSQL 18 counts what index scans do. */
static inline IndexScanDesc
begin_index_scan(Relation rel, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 180000
	return index_beginscan(rel, index, snapshot, NULL, nkeys, 0);
#else
	return index_beginscan(rel, index, snapshot, nkeys, 0);
#endif
}

/*
 * An executor state for one relation, of which one column is updated.  Which
 * one stood in the range table before 16, then beside it; 18 asks which
 * relations were not pruned.
 */
static inline void
init_range_table(EState *estate, Relation rel, AttrNumber updated)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);
	Bitmapset	  *columns = updated == 0 ?
			NULL :
			bms_make_singleton(updated - FirstLowInvalidHeapAttributeNumber);

	rte->rtekind = RTE_RELATION;
	rte->relid = RelationGetRelid(rel);
	rte->relkind = rel->rd_rel->relkind;
	rte->rellockmode = RowExclusiveLock;
#if PG_VERSION_NUM >= 160000
	{
		List			  *permissions = NIL;
		RTEPermissionInfo *permission = addRTEPermissionInfo(&permissions,
															 rte);

		permission->updatedCols = columns;
#if PG_VERSION_NUM >= 180000
		ExecInitRangeTable(estate, list_make1(rte), permissions,
						   bms_make_singleton(1));
#else
		ExecInitRangeTable(estate, list_make1(rte), permissions);
#endif
	}
#else
	rte->updatedCols = columns;
	ExecInitRangeTable(estate, list_make1(rte));
#endif
}

/* PostgreSQL 16 tells which indexes an update has to go into. */
#if PG_VERSION_NUM >= 160000
#define EPQ_NO_RELATIONS , NIL
typedef TU_UpdateIndexes UpdatedIndexes;
#define any_index_updated(indexes) ((indexes) != TU_None)
#define only_summarizing(indexes) ((indexes) == TU_Summarizing)
#define insert_index_tuples(info, slot, estate, update, summarizing)    \
	ExecInsertIndexTuples(info, slot, estate, update, false, NULL, NIL, \
						  summarizing)
#else
#define EPQ_NO_RELATIONS
typedef bool UpdatedIndexes;
#define any_index_updated(indexes) (indexes)
#define only_summarizing(indexes) false
#define insert_index_tuples(info, slot, estate, update, summarizing) \
	ExecInsertIndexTuples(info, slot, estate, update, false, NULL, NIL)
#endif

/* BEFORE UPDATE triggers report more with every version. */
static inline bool
fire_before_update(EState *estate, EPQState *epq, ResultRelInfo *info,
				   ItemPointer tid, TupleTableSlot *slot)
{
#if PG_VERSION_NUM >= 180000
	return ExecBRUpdateTriggers(estate, epq, info, tid, NULL, slot, NULL, NULL,
								false);
#elif PG_VERSION_NUM >= 160000
	return ExecBRUpdateTriggers(estate, epq, info, tid, NULL, slot, NULL,
								NULL);
#else
	return ExecBRUpdateTriggers(estate, epq, info, tid, NULL, slot, NULL);
#endif
}

#endif /* ORDCANCEL_EXECUTOR_COMPAT_H */
