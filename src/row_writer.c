/*
 * row_writer.c — writing rows without a statement
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "executor/executor.h"
#include "executor/nodeModifyTable.h"
#include "nodes/makefuncs.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "executor_compat.h"
#include "row_writer.h"

static bool
plain_table(Relation rel)
{
	return rel->rd_rel->relkind == RELKIND_RELATION && rel->rd_rules == NULL;
}

bool
writer_may_insert(Relation rel, Oid guard)
{
	const TriggerDesc *triggers = rel->trigdesc;

	if (!plain_table(rel) || rel->rd_rel->relispartition)
		return false;
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_INSERT(triggers->triggers[i].tgtype) &&
			triggers->triggers[i].tgfoid != guard)
			return false;
	return true;
}

bool
writer_may_update(Relation rel)
{
	const TriggerDesc *triggers = rel->trigdesc;

	return plain_table(rel) &&
		(triggers == NULL ||
		 !(triggers->trig_update_before_statement ||
		   triggers->trig_update_after_statement ||
		   triggers->trig_update_old_table ||
		   triggers->trig_update_new_table));
}

/* Takes one function's triggers out of the copy that the writer works with. */
static void
leave_out(ResultRelInfo *info, Oid guard)
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

void
writer_open(RowWriter *w, Relation rel, AttrNumber updated, Oid guard)
{
	MemoryContext caller;

	w->rel = rel;
	w->estate = CreateExecutorState();
	caller = MemoryContextSwitchTo(w->estate->es_query_cxt);
	init_range_table(w->estate, rel, updated);
	w->info = makeNode(ResultRelInfo);
	InitResultRelInfo(w->info, rel, 1, NULL, 0);
	leave_out(w->info, guard);

	/* Where AFTER triggers look for what they fire on. */
	w->estate->es_opened_result_relations = list_make1(w->info);
	ExecOpenIndices(w->info, false);
	EvalPlanQualInit(&w->epq, w->estate, NULL, NIL, -1 EPQ_NO_RELATIONS);
	MemoryContextSwitchTo(caller);
	if (updated)
		CheckCmdReplicaIdentity(rel, CMD_UPDATE);
}

void
writer_close(RowWriter *w)
{
	EvalPlanQualEnd(&w->epq);
	ExecCloseResultRelations(w->estate);
	ExecResetTupleTable(w->estate->es_tupleTable, false);
	FreeExecutorState(w->estate);
}

void
writer_insert(RowWriter *w, TupleTableSlot **slots, int count)
{
	EState	 *estate = w->estate;
	CommandId cid = GetCurrentCommandId(true);

	estate->es_output_cid = cid;
	for (int i = 0; i < count; i++)
	{
		slots[i]->tts_tableOid = RelationGetRelid(w->rel);
		if (w->rel->rd_att->constr)
			ExecConstraints(w->info, slots[i], estate);
	}
	if (count == 1)
		table_tuple_insert(w->rel, slots[0], cid, 0, NULL);
	else
		table_multi_insert(w->rel, slots, count, cid, 0, NULL);
	if (w->info->ri_NumIndices == 0)
		return;
	for (int i = 0; i < count; i++)
	{
		(void) insert_index_tuples(w->info, slots[i], estate, false, false);
		ResetPerTupleExprContext(estate);
	}
}

bool
writer_has_before_triggers(const RowWriter *w)
{
	return w->info->ri_TrigDesc &&
		w->info->ri_TrigDesc->trig_update_before_row;
}

RowUpdate
writer_update(RowWriter *w, ItemPointer tid, TupleTableSlot *slot)
{
	EState		  *estate = w->estate;
	List		  *recheck = NIL;
	TM_FailureData failure;
	LockTupleMode  mode;
	UpdatedIndexes indexes;

	slot->tts_tableOid = RelationGetRelid(w->rel);
	if (writer_has_before_triggers(w) &&
		!fire_before_update(estate, &w->epq, w->info, tid, slot))
		return ROW_SUPPRESSED;

	/* A trigger's row has none. */
	slot->tts_tableOid = RelationGetRelid(w->rel);
	if (w->rel->rd_att->constr)
	{
		if (w->rel->rd_att->constr->has_generated_stored)
			ExecComputeStoredGenerated(w->info, estate, slot, CMD_UPDATE);
		ExecConstraints(w->info, slot, estate);
	}
	if (w->rel->rd_rel->relispartition)
		ExecPartitionCheck(w->info, slot, estate, true);
	if (table_tuple_update(w->rel, tid, slot, estate->es_output_cid,
						   estate->es_snapshot, InvalidSnapshot, true,
						   &failure, &mode, &indexes) != TM_Ok)
		return ROW_CHANGED;
	if (w->info->ri_NumIndices > 0 && any_index_updated(indexes))
		recheck = insert_index_tuples(w->info, slot, estate, true,
									  only_summarizing(indexes));
	if (w->info->ri_TrigDesc)
		ExecARUpdateTriggers(estate, w->info, NULL, NULL, tid, NULL, slot,
							 recheck, NULL, false);
	list_free(recheck);
	ResetPerTupleExprContext(estate);
	return ROW_UPDATED;
}

void
writer_begin_updates(RowWriter *w)
{
	/* Not the ones before: a trigger's query must see what is written here. */
	CommandCounterIncrement();
	PushActiveSnapshot(GetTransactionSnapshot());
	w->estate->es_snapshot = GetActiveSnapshot();
	w->estate->es_output_cid = GetCurrentCommandId(true);
	if (w->info->ri_TrigDesc)
		AfterTriggerBeginQuery();
}

void
writer_end_updates(RowWriter *w)
{
	if (w->info->ri_TrigDesc)
		AfterTriggerEndQuery(w->estate);
	PopActiveSnapshot();
}
