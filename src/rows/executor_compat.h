/*
 * executor_compat.h — how PostgreSQL 15 to 19 differ in the executor's calls
 */
#ifndef ORDCANCEL_EXECUTOR_COMPAT_H
#define ORDCANCEL_EXECUTOR_COMPAT_H

#include "access/genam.h"
#include "executor/executor.h"
#include "parser/parse_relation.h"
#include "utils/rel.h"

/* PostgreSQL 18 counts what index scans do, 19 takes flags. */
static inline IndexScanDesc
begin_index_scan(Relation rel, Relation index, Snapshot snapshot, int nkeys)
{
#if PG_VERSION_NUM >= 190000
	return index_beginscan(rel, index, snapshot, NULL, nkeys, 0, SO_NONE);
#elif PG_VERSION_NUM >= 180000
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

/* For a recheck that never comes: the caller has locked what it updates. */
static inline void
init_recheck(EPQState *epq, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL);
#else
	EvalPlanQualInit(epq, estate, NULL, NIL, -1);
#endif
}

#endif /* ORDCANCEL_EXECUTOR_COMPAT_H */
