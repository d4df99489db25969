/*
 * record_write.c — writing cancellations and events
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/config_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "rows/direct_write.h"
#include "rows/plan_cache.h"
#include "rows/record_columns.h"
#include "rows/record_read.h"

/* Columns and parameters are in the same order; others are as in "base". */
static void
fill_slot(TupleTableSlot *slot, TupleTableSlot *base, const Parameters *p,
		  const RecordMap *map)
{
	int natts = slot->tts_tupleDescriptor->natts;

	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, natts);
	if (base)
	{
		slot_getallattrs(base);
		memcpy(slot->tts_values, base->tts_values, natts * sizeof(Datum));
		memcpy(slot->tts_isnull, base->tts_isnull, natts * sizeof(bool));
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
 * Only the owner of the extension can put row triggers or checks on a record
 * table, so they run as that role.
 */
static bool
has_code(Relation rel)
{
	const TriggerDesc *triggers = rel->trigdesc;

	return (triggers &&
			(triggers->trig_insert_before_row ||
			 triggers->trig_insert_after_row ||
			 triggers->trig_update_before_row ||
			 triggers->trig_update_after_row)) ||
		(rel->rd_att->constr && rel->rd_att->constr->num_check > 0);
}

pg_noreturn static void
raise_not_written(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("row of record table \"%s\" was not written",
					RelationGetRelationName(rel)),
			 errhint("Look for a trigger on the table.")));
}

/* Fills the parameters of one of the rows that are to be inserted. */
typedef void (*FillRow)(const void *rows, int i, Parameters *p);

static void
insert_rows(OrderTable *table, const RecordColumn *columns, Oid relid,
			FillRow fill, const void *rows, int count)
{
	MemoryContext	caller = CurrentMemoryContext;
	MemoryContext	context = AllocSetContextCreate(caller, "ordcancel rows",
													ALLOCSET_DEFAULT_SIZES);
	Relation		rel = record_open(relid, RowExclusiveLock);
	TupleTableSlot *slot = table_slot_create(rel, NULL);
	Parameters		p;
	RecordMap		map;
	DirectWrite		w;
	RunAsScope		scope;

	record_map(&map, columns, table, rel);
	if (has_code(rel))
		run_as_extension_owner(&scope);
	direct_write_open(&w, rel, 0, InvalidOid);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < count; i++)
	{
		fill(rows, i, &p);
		fill_slot(slot, NULL, &p, &map);
		if (!direct_write_insert(&w, slot))
			raise_not_written(rel);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	direct_write_close(&w);
	if (has_code(rel))
		run_as_end(&scope);
	ExecDropSingleTupleTableSlot(slot);
	table_close(rel, NoLock);
	MemoryContextDelete(context);
}

static int64
next_id(Oid sequence)
{
	return nextval_internal(sequence, false);
}

static void
cancellation_parameters(const void *rows, int i, Parameters *p)
{
	const CancelTarget *c = ((CancelTarget *const *) rows)[i];
	const Cancellation *r = &c->record;

	p->count = 0;
	parameter_value(p, INT8OID, Int64GetDatum(r->id), false);
	parameter_text(p, c->key_text);
	parameter_text(p, state_name(r->state));
	parameter_text(p, party_name(r->requested_by));
	parameter_text(p, r->requested_actor);
	parameter_text(p, r->decided ? party_name(r->decided_by) : NULL);
	parameter_text(p, r->decided_actor);
	parameter_text(p, r->reason);
	parameter_text(p, r->note);
	parameter_text(p, r->decision_note);
	parameter_text(p, r->undo_note);
	parameter_text(p, r->prior_status);
	parameter_text(p, r->policy);
	parameter_text(p, r->request_key);
	parameter_numeric(p, r->refund_due);
	parameter_numeric(p, r->refunded);
	parameter_time(p, r->requested_at);
	parameter_time(p, r->decided_at);
	parameter_time(p, r->closed_at);
	parameter_time(p, r->deadline);
	parameter_text(p, r->order_status);
	parameter_key(p, c->table, c->key);
}

void
record_insert(CancelTarget **targets, int count)
{
	OrderTable *table;
	Oid			sequence;

	if (count == 0)
		return;
	table = targets[0]->table;
	sequence = config_relation("cancellation_id_seq");
	for (int i = 0; i < count; i++)
	{
		targets[i]->record.id = next_id(sequence);
		targets[i]->has_record = true;
	}
	insert_rows(table, cancellation_columns, table->cancellation_table,
				cancellation_parameters, targets, count);
}

static void
raise_overtaken(const void *arg)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg(
				 "could not serialize access due to concurrent cancellation"),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * The row is read anew: code of the owner's that ran since it was found may
 * have called us for the same order.
 */
void
record_update(CancelTarget *c)
{
	Relation rel = record_open(c->table->cancellation_table, RowExclusiveLock);
	TupleTableSlot *fresh = table_slot_create(rel, NULL);
	Datum			id = Int64GetDatum(c->record.id);
	Parameters		p;
	RecordMap		map;
	IndexLookup		lookup;
	DirectWrite		w;
	RunAsScope		scope;

	record_map(&map, cancellation_columns, c->table, rel);
	if (has_code(rel))
		run_as_extension_owner(&scope);
	direct_write_open(&w, rel, 0, InvalidOid);
	record_lookup_by_id(&lookup, c->table, rel, READ_CURRENT);
	if (!index_lookup_find(&lookup, &id, ForwardScanDirection))
		raise_overtaken(NULL);
	cancellation_parameters(&c, 0, &p);
	fill_slot(fresh, lookup.slot, &p, &map);
	if (!direct_write_update(&w, lookup.slot, fresh, raise_overtaken, NULL))
		raise_not_written(rel);
	index_lookup_end(&lookup);
	direct_write_close(&w);
	if (has_code(rel))
		run_as_end(&scope);
	ExecDropSingleTupleTableSlot(fresh);
	table_close(rel, NoLock);
}

/* Events of one call, and what is the same for all of them. */
typedef struct Events
{
	const Event *list;
	Datum		 role;
	Datum		*data;
} Events;

static void
event_parameters(const void *rows, int i, Parameters *p)
{
	const Events	   *all = rows;
	const Event		   *e = &all->list[i];
	const CancelTarget *c = e->order;

	p->count = 0;
	parameter_value(p, INT8OID, Int64GetDatum(e->id), false);
	parameter_value(p, INT8OID, Int64GetDatum(c->record.id), false);
	parameter_text(p, c->key_text);
	parameter_text(p, event_type_name(e->type));
	parameter_text(p, e->from);
	parameter_text(p, e->to);
	parameter_text(p, state_name(e->state));
	parameter_text(p, party_name(e->party));
	parameter_text(p, e->actor);
	parameter_value(p, NAMEOID, all->role, false);
	parameter_text(p, e->reason);
	parameter_value(p, JSONBOID, all->data[i], e->data == NULL);
	parameter_time(p, &e->at);
	parameter_text(p, e->source);
	parameter_text(p, e->request_key);
	parameter_value(p, INT8OID,
					Int64GetDatum((int64) U64FromFullTransactionId(
						GetTopFullTransactionId())),
					false);
	parameter_key(p, c->table, c->key);
}

static void
insert_events(OrderTable *table, Event *list, int count)
{
	Oid	   sequence = config_relation("event_id_seq");
	Events all = {.list = list};

	all.role = DirectFunctionCall1(
		namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
	all.data = palloc0(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		list[i].id = next_id(sequence);
		if (list[i].data == NULL)
			continue;
		/* In a batch they are all the same. */
		all.data[i] = i > 0 &&
				equal_or_both_null(list[i].data, list[i - 1].data) ?
			all.data[i - 1] :
			DirectFunctionCall1(jsonb_in, CStringGetDatum(list[i].data));
	}
	insert_rows(table, event_columns, table->event_table, event_parameters,
				&all, count);
}

void
record_events(Event *list, int count)
{
	MemoryContext	caller = CurrentMemoryContext;
	RequestKeyIndex index = {0};

	if (count == 0)
		return;
	if (list[0].request_key)
		index = record_request_key_index(list[0].order->table);
	/* Another order's call with the same key may have been a moment earlier. */
	PG_TRY();
	{
		insert_events(list[0].order->table, list, count);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (!record_request_key_taken(&index, error))
			PG_RE_THROW();
		FlushErrorState();
		refusal_raise_request_key(list[0].request_key,
								  "Another call used it at the same moment.");
	}
	PG_END_TRY();
}
