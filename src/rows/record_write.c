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
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/json_member.h"
#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/config_table.h"
#include "config/node_ids.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "rows/direct_write.h"
#include "rows/plan_cache.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_rows.h"
#include "rows/shard_ids.h"

/* A column that is not wanted is left null, without being converted. */
static void
text_column(Parameters *p, uint64 wanted, const char *text)
{
	parameter_text(p, (wanted >> p->count) & 1 ? text : NULL);
}

static void
fill_cancellation(const CancelTarget *c, uint64 wanted, Parameters *p)
{
	const Cancellation *r = &c->record;

	p->count = 0;
	parameter_value(p, INT8OID, Int64GetDatum(r->id), false);
	text_column(p, wanted, c->key_text);
	text_column(p, wanted, state_name(r->state));
	text_column(p, wanted, party_name(r->requested_by));
	text_column(p, wanted, r->requested_actor);
	text_column(p, wanted, r->decided ? party_name(r->decided_by) : NULL);
	text_column(p, wanted, r->decided_actor);
	text_column(p, wanted, r->reason);
	text_column(p, wanted, r->note);
	text_column(p, wanted, r->decision_note);
	text_column(p, wanted, r->undo_note);
	text_column(p, wanted, r->prior_status);
	text_column(p, wanted, r->policy);
	text_column(p, wanted, r->request_key);
	parameter_numeric(p, r->refund_due);
	parameter_numeric(p, r->refunded);
	parameter_time(p, r->requested_at);
	parameter_time(p, r->decided_at);
	parameter_time(p, r->closed_at);
	parameter_time(p, r->deadline);
	text_column(p, wanted, r->order_status);
	text_column(p, wanted, r->items ? "items" : "order");
	parameter_numeric(p, r->refund_owed);
	parameter_value(p, JSONBOID, JsonbPGetDatum(r->metadata),
					r->metadata == NULL);
	parameter_value(p, JSONBOID, PointerGetDatum(r->prior_values),
					r->prior_values == NULL);
	parameter_numeric(p, r->refund_kept);
	parameter_time(p, r->first_closed_at);
}

static void
cancellation_parameters(const void *rows, int i, Parameters *p)
{
	const CancelTarget *c = ((CancelTarget *const *) rows)[i];

	fill_cancellation(c, ~UINT64CONST(0), p);
	parameter_key(p, c->table, c->key);
}

void
record_columns_of(const CancelTarget *c, uint64 wanted, Parameters *p)
{
	fill_cancellation(c, wanted, p);
}

void
record_as_row(const CancelTarget *c, const RecordMap *map,
			  TupleTableSlot *slot)
{
	Parameters p;

	fill_cancellation(c, ~UINT64CONST(0), &p);
	record_fill_slot(slot, NULL, &p, map);
}

void
record_number(CancelTarget **targets, int count)
{
	Oid sequence;

	if (count == 0)
		return;
	shard_ids_follow(targets[0]->table);
	sequence = config_relation("cancellation_id_seq");
	for (int i = 0; i < count; i++)
	{
		targets[i]->record.id = node_next_id(sequence);
		targets[i]->has_record = true;
	}
}

void
record_insert(CancelTarget **targets, int count)
{
	OrderTable *table;
	RecordKeys	keys;

	if (count == 0)
		return;
	table = targets[0]->table;
	keys = record_keys_of_order(table);
	record_write_rows(table, cancellation_columns, &keys,
					  table->cancellation_table, cancellation_parameters,
					  targets, count);
}

/*
 * The row is looked up again, since a block or refund_due expression could
 * have called us for the same order since record_find.
 */
void
record_update(CancelTarget *c)
{
	Datum			id = Int64GetDatum(c->record.id);
	RecordKeys		keys = record_keys_of_order(c->table);
	TupleTableSlot *fresh;
	Parameters		p;
	IndexLookup		lookup;
	RecordWrite		w;

	record_write_begin(&w, c->table, cancellation_columns, &keys,
					   c->table->cancellation_table);
	fresh = table_slot_create(w.rel, NULL);
	record_lookup_by_id(&lookup, c->table, w.rel, READ_CURRENT);
	if (!index_lookup_find(&lookup, &id, ForwardScanDirection))
		record_raise_conflict(NULL);
	cancellation_parameters(&c, 0, &p);
	record_fill_slot(fresh, lookup.slot, &p, &w.map);
	if (!direct_write_update(&w.write, lookup.slot, fresh,
							 record_raise_conflict, NULL))
		record_raise_not_written(w.rel);
	index_lookup_end(&lookup);
	ExecDropSingleTupleTableSlot(fresh);
	record_write_end(&w);
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
	parameter_value(p, JSONBOID, all->data[i], all->data[i] == (Datum) 0);
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

static bool
has_same_data(const Event *a, const Event *b)
{
	return a->metadata == b->metadata && equal_or_both_null(a->data, b->data);
}

/* Adds a member "metadata" to the data; 0 if there is nothing. */
static Datum
data_json(const Event *e)
{
	Datum data = e->data ?
		DirectFunctionCall1(jsonb_in, CStringGetDatum(e->data)) :
		(Datum) 0;
	Datum metadata = e->metadata ?
		JsonbPGetDatum(json_member("metadata", e->metadata)) :
		(Datum) 0;

	if (data && metadata)
		return DirectFunctionCall2(jsonb_concat, data, metadata);
	return data ? data : metadata;
}

static void
insert_events(OrderTable *table, Event *list, int count)
{
	Oid		   sequence = config_relation("event_id_seq");
	RecordKeys keys = record_keys_of_order(table);
	Events	   all = {.list = list};

	/* A transaction has its ID before its event IDs: see event_horizon.h. */
	(void) GetTopTransactionId();
	shard_ids_follow(table);
	all.role = DirectFunctionCall1(
		namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
	all.data = palloc0(count * sizeof(Datum));
	for (int i = 0; i < count; i++)
	{
		list[i].id = node_next_id(sequence);
		/* In a batch, they are usually all the same. */
		all.data[i] = i > 0 && has_same_data(&list[i], &list[i - 1]) ?
			all.data[i - 1] :
			data_json(&list[i]);
	}
	record_write_rows(table, event_columns, &keys, table->event_table,
					  event_parameters, &all, count);
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
