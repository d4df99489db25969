/*
 * record_rows.c — inserts and updates rows of record tables
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_trigger.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "decision/refusal.h"
#include "rows/record.h"
#include "rows/record_open.h"
#include "rows/record_rows.h"

/*
 * Stores a row in a slot: columns from the parameters, which are in the order
 * of the map, and others from "base", or null if there is none.
 */
void
record_fill_slot(TupleTableSlot *slot, TupleTableSlot *base,
				 const Parameters *p, const RecordMap *map)
{
	if (base)
		direct_write_copy(slot, base);
	else
	{
		ExecClearTuple(slot);
		memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	}
	for (int i = 0; i < p->count; i++)
	{
		int column = map->attnums[i] - 1;

		slot->tts_isnull[column] = p->nulls[i] == 'n';
		slot->tts_values[column] = p->values[i];
	}
	ExecStoreVirtualTuple(slot);
}

/*
 * Does the table have row triggers, other than ours, or CHECK constraints?
 * Only the owner of the extension or a superuser can add them; they run as the
 * former.
 */
static bool
runs_code(Relation rel, Oid ours)
{
	const TriggerDesc *triggers = rel->trigdesc;

	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		if (TRIGGER_FOR_ROW(triggers->triggers[i].tgtype) &&
			triggers->triggers[i].tgfoid != ours)
			return true;
	return rel->rd_att->constr && rel->rd_att->constr->num_check > 0;
}

pg_noreturn void
record_raise_not_written(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("row of record table \"%s\" was not written",
					RelationGetRelationName(rel)),
			 errhint("Look for a trigger on the table.")));
}

static void
begin_write(RecordWrite *w, const OrderTable *table)
{
	w->as_extension_owner = runs_code(w->rel, table->event_arrived);
	if (w->as_extension_owner)
		run_as_extension_owner(&w->scope);
	direct_write_open(&w->write, w->rel, 0, table->event_arrived);
}

void
record_write_begin(RecordWrite *w, const OrderTable *table,
				   const RecordColumn *columns, const RecordKeys *keys,
				   Oid relid)
{
	w->rel = record_open(relid, RowExclusiveLock);
	record_map(&w->map, columns, keys, w->rel);
	begin_write(w, table);
}

void
record_write_begin_unmapped(RecordWrite *w, const OrderTable *table, Oid relid)
{
	w->rel = record_open(relid, RowExclusiveLock);
	begin_write(w, table);
}

void
record_write_end(RecordWrite *w)
{
	direct_write_close(&w->write);
	if (w->as_extension_owner)
		run_as_end(&w->scope);
	table_close(w->rel, NoLock);
}

void
record_write_rows(OrderTable *table, const RecordColumn *columns,
				  const RecordKeys *keys, Oid relid, RecordFill fill,
				  const void *rows, int count)
{
	MemoryContext	caller = CurrentMemoryContext;
	MemoryContext	context = AllocSetContextCreate(caller, "ordcancel rows",
													ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot;
	Parameters		p;
	RecordWrite		w;

	record_write_begin(&w, table, columns, keys, relid);
	slot = table_slot_create(w.rel, NULL);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < count; i++)
	{
		fill(rows, i, &p);
		record_fill_slot(slot, NULL, &p, &w.map);
		if (!direct_write_insert(&w.write, slot))
			record_raise_not_written(w.rel);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	ExecDropSingleTupleTableSlot(slot);
	record_write_end(&w);
	MemoryContextDelete(context);
}

void
record_raise_conflict(const void *arg)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg(
				 "could not serialize access due to concurrent cancellation"),
			 errhint("The transaction might succeed if retried.")));
}
