/*
 * partition_result.c — partitions whose rows are updated without a statement
 */
#include "postgres.h"

#include "access/tupconvert.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "rows/partition_map.h"
#include "rows/partition_result.h"

/*
 * The map is used to find out which columns are updated.  Without it they are
 * taken to be where the table has them.
 */
static void
set_column_map(ResultRelInfo *info, Relation table)
{
	bool same = partition_map(info->ri_RelationDesc, table) == NULL;

#if PG_VERSION_NUM >= 160000
	/* If it is not set, PostgreSQL makes it. */
	info->ri_RootToChildMapValid = same;
#else
	if (!same)
		info->ri_RootToPartitionMap = convert_tuples_by_name(
			RelationGetDescr(table), RelationGetDescr(info->ri_RelationDesc));
#endif
}

ResultRelInfo *
partition_result_open(ResultRelInfo *root, Relation rel)
{
	ResultRelInfo *info = makeNode(ResultRelInfo);

	InitResultRelInfo(info, rel, 0, root, 0);
	set_column_map(info, root->ri_RelationDesc);
	return info;
}

/* A check that all rows pass, for use in the whole session. */
static ExprState *
no_check(void)
{
	static ExprState *state;

	if (state == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(TopMemoryContext);

		state = ExecInitCheck(list_make1(makeBoolConst(true, false)), NULL);
		MemoryContextSwitchTo(caller);
	}
	return state;
}

/*
 * A primary key has all columns by which the table and its partitions are
 * partitioned; but not those of a table of which it has become a partition itself.
 * BEFORE triggers may write any column.
 */
void
partition_result_omit_check(ResultRelInfo *info, const Bitmapset *updated)
{
	Relation   table = info->ri_RootResultRelInfo->ri_RelationDesc;
	Bitmapset *key = RelationGetIndexAttrBitmap(table,
												INDEX_ATTR_BITMAP_PRIMARY_KEY);

	if (key && !bms_overlap(key, updated) && !table->rd_rel->relispartition &&
		!(info->ri_TrigDesc && info->ri_TrigDesc->trig_update_before_row))
		info->ri_PartitionCheckExpr = no_check();
	bms_free(key);
}
