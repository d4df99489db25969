/*
 * direct_write.c — inserts and updates rows without running a statement
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "nodes/makefuncs.h"
#include "parser/parse_relation.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/immediate_triggers.h"
#include "rows/direct_write.h"
#include "rows/index_predicate.h"
#include "rows/partition_result.h"

/* Attribute numbers as PostgreSQL keeps a set of them. */
static Bitmapset *
column_set(const Bitmapset *attnums)
{
	Bitmapset *columns = NULL;
	int		   attnum = -1;

	while ((attnum = bms_next_member(attnums, attnum)) >= 0)
		columns = bms_add_member(columns,
								 attnum - FirstLowInvalidHeapAttributeNumber);
	return columns;
}

/*
 * Makes a range table of one relation with updated columns.  PostgreSQL 16
 * moved updated columns to RTEPermissionInfo; 18 added the set of relations
 * that were not pruned.
 */
static void
init_range_table(EState *estate, Relation rel, Bitmapset *columns)
{
	RangeTblEntry *rte = makeNode(RangeTblEntry);

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

/* EvalPlanQual is never needed, since the caller has locked the row. */
static void
init_eval_plan_qual(EPQState *epq, EState *estate)
{
#if PG_VERSION_NUM >= 160000
	EvalPlanQualInit(epq, estate, NULL, NIL, -1, NIL);
#else
	EvalPlanQualInit(epq, estate, NULL, NIL, -1);
#endif
}

bool
direct_write_can_update(Relation rel)
{
	const TriggerDesc *triggers = rel->trigdesc;

	return (rel->rd_rel->relkind == RELKIND_RELATION ||
			rel->rd_rel->relkind == RELKIND_PARTITIONED_TABLE) &&
		rel->rd_rules == NULL &&
		(triggers == NULL ||
		 !(triggers->trig_update_before_statement ||
		   triggers->trig_update_after_statement ||
		   triggers->trig_update_old_table ||
		   triggers->trig_update_new_table));
}

/*
 * Removes the triggers that call one function, from the ResultRelInfo's own
 * copy of the trigger descriptor.
 */
static void
remove_triggers(ResultRelInfo *info, Oid guard)
{
	TriggerDesc *triggers = info->ri_TrigDesc;
	int			 kept = 0;

	if (triggers == NULL)
		return;
	triggers->trig_update_after_row = false;
	for (int i = 0; i < triggers->numtriggers; i++)
	{
		const Trigger *trigger = &triggers->triggers[i];

		if (trigger->tgfoid == guard)
			continue;
		if (TRIGGER_TYPE_MATCHES(trigger->tgtype, TRIGGER_TYPE_ROW,
								 TRIGGER_TYPE_AFTER, TRIGGER_TYPE_UPDATE))
			triggers->trig_update_after_row = true;
		triggers->triggers[kept++] = *trigger;
	}
	triggers->numtriggers = kept;
	if (kept == 0)
		info->ri_TrigDesc = NULL;
}

static void
open_info(DirectWrite *w)
{
	EState *estate = w->estate;

	if (OidIsValid(w->guard))
		remove_triggers(w->info, w->guard);
	immediate_triggers_apply(w->info);

	/* AFTER triggers find their relation here. */
	estate->es_opened_result_relations = lappend(
		estate->es_opened_result_relations, w->info);
	ExecOpenIndices(w->info, false);
	index_predicate_use(w->info);
}

void
direct_write_open(DirectWrite *w, Relation rel, AttrNumber updated, Oid guard)
{
	direct_write_open_columns(w, rel,
							  updated ? bms_make_singleton(updated) : NULL,
							  guard);
}

void
direct_write_open_columns(DirectWrite *w, Relation rel,
						  const Bitmapset *updated, Oid guard)
{
	MemoryContext caller;

	w->guard = guard;
	w->estate = CreateExecutorState();
	caller = MemoryContextSwitchTo(w->estate->es_query_cxt);
	w->updated = column_set(updated);
	init_range_table(w->estate, rel, w->updated);
	w->root = makeNode(ResultRelInfo);
	InitResultRelInfo(w->root, rel, 1, NULL, 0);
	w->info = w->root;
	if (rel->rd_rel->relkind != RELKIND_PARTITIONED_TABLE)
		open_info(w);
	init_eval_plan_qual(&w->epq, w->estate);
	MemoryContextSwitchTo(caller);

	/* Triggers see what was written before, as those of a new statement. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	w->estate->es_snapshot = GetActiveSnapshot();
	w->estate->es_output_cid = GetCurrentCommandId(true);
	AfterTriggerBeginQuery();
}

void
direct_write_use(DirectWrite *w, Relation rel)
{
	MemoryContext caller;
	ListCell	 *lc;

	if (w->info->ri_RelationDesc == rel)
		return;
	foreach(lc, w->estate->es_opened_result_relations)
	{
		w->info = lfirst(lc);
		if (w->info->ri_RelationDesc == rel)
			return;
	}
	caller = MemoryContextSwitchTo(w->estate->es_query_cxt);
	w->info = partition_result_open(w->root, rel);
	open_info(w);
	partition_result_omit_check(w->info, w->updated);
	MemoryContextSwitchTo(caller);
}

void
direct_write_close(DirectWrite *w)
{
	AfterTriggerEndQuery(w->estate);
	PopActiveSnapshot();
	EvalPlanQualEnd(&w->epq);
	ExecCloseResultRelations(w->estate);
	ExecResetTupleTable(w->estate->es_tupleTable, false);
	FreeExecutorState(w->estate);
}

bool
direct_write_insert(DirectWrite *w, TupleTableSlot *row)
{
	/* A partition may be without its check, which is right for updates only. */
	Assert(w->info == w->root);
	row->tts_tableOid = RelationGetRelid(w->info->ri_RelationDesc);
	ItemPointerSetInvalid(&row->tts_tid); /* set if the row is inserted */
	ExecSimpleRelationInsert(w->info, w->estate, row);
	ResetPerTupleExprContext(w->estate);
	return ItemPointerIsValid(&row->tts_tid);
}

bool
direct_write_has_before_triggers(const DirectWrite *w)
{
	return w->info->ri_TrigDesc &&
		w->info->ri_TrigDesc->trig_update_before_row;
}

bool
direct_write_has_generated(const DirectWrite *w)
{
	TupleDesc desc = RelationGetDescr(w->info->ri_RelationDesc);

	return desc->constr && desc->constr->has_generated_stored;
}

/*
 * ExecSimpleRelationUpdate raises an internal error, without an SQLSTATE of its
 * own, if the row was updated concurrently: from simple_table_tuple_update, or
 * from heap_update if the row was changed by this very command.  The function
 * that raised it is the only way to know it.
 */
static bool
is_update_conflict(const ErrorData *error)
{
	return error->funcname &&
		(strcmp(error->funcname, "simple_table_tuple_update") == 0 ||
		 strcmp(error->funcname, "heap_update") == 0);
}

bool
direct_write_update(DirectWrite *w, TupleTableSlot *row, TupleTableSlot *fresh,
					DirectWriteConflict conflict, const void *arg)
{
	MemoryContext caller = CurrentMemoryContext;

	fresh->tts_tableOid = RelationGetRelid(w->info->ri_RelationDesc);
	ItemPointerSetInvalid(&fresh->tts_tid); /* set if the row is updated */
	PG_TRY();
	{
		ExecSimpleRelationUpdate(w->info, w->estate, &w->epq, row, fresh);
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		if (!is_update_conflict(CopyErrorData()))
			PG_RE_THROW();
		FlushErrorState();
		conflict(arg);
	}
	PG_END_TRY();
	ResetPerTupleExprContext(w->estate);
	return ItemPointerIsValid(&fresh->tts_tid);
}
