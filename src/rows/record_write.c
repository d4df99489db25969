/*
 * record_write.c — inserts and updates cancellations and events
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/transam.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "catalog/pg_trigger.h"
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
#include "rows/record.h"
#include "rows/record_columns.h"

/*
 * Stores a row in a slot: columns from the parameters, which are in the order
 * of the map, and others from "base", or null if there is none.
 */
static void
fill_slot(TupleTableSlot *slot, TupleTableSlot *base, const Parameters *p,
		  const RecordMap *map)
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

pg_noreturn static void
raise_not_written(Relation rel)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("row of record table \"%s\" was not written",
					RelationGetRelationName(rel)),
			 errhint("Look for a trigger on the table.")));
}

/* A record table that is open for writing. */
typedef struct RecordWrite
{
	Relation	rel;
	RecordMap	map;
	DirectWrite write;
	bool		as_extension_owner;
	RunAsScope	scope;
} RecordWrite;

static void
begin_write(RecordWrite *w, const OrderTable *table,
			const RecordColumn *columns, Oid relid)
{
	w->rel = record_open(relid, RowExclusiveLock);
	record_map(&w->map, columns, table, w->rel);
	w->as_extension_owner = runs_code(w->rel, table->event_arrived);
	if (w->as_extension_owner)
		run_as_extension_owner(&w->scope);
	direct_write_open(&w->write, w->rel, 0, table->event_arrived);
}

/* Fires AFTER triggers. */
static void
end_write(RecordWrite *w)
{
	direct_write_close(&w->write);
	if (w->as_extension_owner)
		run_as_end(&w->scope);
	table_close(w->rel, NoLock);
}

/* Sets the parameters to the columns of row i. */
typedef void (*FillRow)(const void *rows, int i, Parameters *p);

static void
insert_rows(OrderTable *table, const RecordColumn *columns, Oid relid,
			FillRow fill, const void *rows, int count)
{
	MemoryContext	caller = CurrentMemoryContext;
	MemoryContext	context = AllocSetContextCreate(caller, "ordcancel rows",
													ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slot;
	Parameters		p;
	RecordWrite		w;

	begin_write(&w, table, columns, relid);
	slot = table_slot_create(w.rel, NULL);
	MemoryContextSwitchTo(context);
	for (int i = 0; i < count; i++)
	{
		fill(rows, i, &p);
		fill_slot(slot, NULL, &p, &w.map);
		if (!direct_write_insert(&w.write, slot))
			raise_not_written(w.rel);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	ExecDropSingleTupleTableSlot(slot);
	end_write(&w);
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
	parameter_text(p, r->items ? "items" : "order");
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
raise_conflict(const void *arg)
{
	ereport(ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg(
				 "could not serialize access due to concurrent cancellation"),
			 errhint("The transaction might succeed if retried.")));
}

/*
 * The row is looked up again, since a block or refund_due expression could
 * have called us for the same order since record_find.
 */
void
record_update(CancelTarget *c)
{
	Datum			id = Int64GetDatum(c->record.id);
	TupleTableSlot *fresh;
	Parameters		p;
	IndexLookup		lookup;
	RecordWrite		w;

	begin_write(&w, c->table, cancellation_columns,
				c->table->cancellation_table);
	fresh = table_slot_create(w.rel, NULL);
	record_lookup_by_id(&lookup, c->table, w.rel, READ_CURRENT);
	if (!index_lookup_find(&lookup, &id, ForwardScanDirection))
		raise_conflict(NULL);
	cancellation_parameters(&c, 0, &p);
	fill_slot(fresh, lookup.slot, &p, &w.map);
	if (!direct_write_update(&w.write, lookup.slot, fresh, raise_conflict,
							 NULL))
		raise_not_written(w.rel);
	index_lookup_end(&lookup);
	ExecDropSingleTupleTableSlot(fresh);
	end_write(&w);
}

typedef struct Events
{
	const Event *list;
	Datum		 role; /* session_role of all of them */
	Datum		*data; /* of each, as jsonb; 0 if it has none */
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
	parameter_value(p, INT8OID, Int64GetDatum((int64) GetSystemIdentifier()),
					false);
	parameter_text(p, c->table->label);
	parameter_key(p, c->table, c->key);
}

static void
insert_events(OrderTable *table, Event *list, int count)
{
	Oid	   sequence = config_relation("event_id_seq");
	Events all = {.list = list};

	/* A transaction has its ID before its event IDs: see event_horizon.h. */
	(void) GetTopTransactionId();
	all.role = DirectFunctionCall1(
		namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
	all.data = palloc0(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		list[i].id = next_id(sequence);
		if (list[i].data == NULL)
			continue;
		/* In a batch, they are usually all the same. */
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
	/* A concurrent call for another order may have used the same key. */
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
								  "A concurrent call used it.");
	}
	PG_END_TRY();
}
