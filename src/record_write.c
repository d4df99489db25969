/*
 * record_write.c — writing cancellations and events
 *
 * As long as the record tables are what attach made, rows are put into them
 * directly; where the owner has added columns, triggers or rules, by INSERT.
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/xid8.h"

#include "config.h"
#include "order_key.h"
#include "record.h"
#include "record_columns.h"
#include "refusal.h"
#include "row_writer.h"
#include "statement.h"

/* The row that a statement is writing; see record_write_is_ours. */
static Oid	 writing_relid = InvalidOid;
static int64 writing_id = 0;

/* The columns of a record table, in the order of their parameters. */
typedef struct RecordTable
{
	StatementKind		insert;
	StatementText		insert_text;
	const RecordColumn *columns;
} RecordTable;

bool
record_write_is_ours(Oid relid, int64 id)
{
	return OidIsValid(writing_relid) && relid == writing_relid &&
		id == writing_id;
}

/* Runs a statement that writes one row of a record table. */
static void
write_by_statement(OrderTable *table, StatementKind kind, StatementText text,
				   const Parameters *p, Oid relid)
{
	Oid	   outer_relid = writing_relid;
	int64  outer_id = writing_id;
	uint64 rows = 0;

	writing_relid = relid;
	writing_id = DatumGetInt64(p->values[0]);
	PG_TRY();
	{
		rows = statement_run(table, kind, text, p, SIGHT_NOW);
	}
	PG_FINALLY();
	{
		writing_relid = outer_relid;
		writing_id = outer_id;
	}
	PG_END_TRY();

	if (rows != 1)
		ereport(ERROR,
				(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
				 errmsg("row of record table %s was not written",
						record_table_label(relid)),
				 errhint("Look for a trigger or a rule on the table.")));
}

static void
insert_text(StringInfo sql, const OrderTable *table, Oid relid,
			const RecordColumn *columns)
{
	int count = 0;

	appendStringInfo(sql, "INSERT INTO %s (", record_table_label(relid));
	for (; columns[count].name; count++)
		appendStringInfo(sql, "%s%s", count ? ", " : "", columns[count].name);
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(sql, ", %s", quote_identifier(table->record_keys[i]));
	for (int i = 0; i < count + table->nkeys; i++)
		appendStringInfo(sql, "%s$%d", i ? ", " : ") VALUES (", i + 1);
	appendStringInfoChar(sql, ')');
}

static void
insert_cancellation_text(StringInfo sql, const OrderTable *table)
{
	insert_text(sql, table, table->cancellation_table, cancellation_columns);
}

static void
insert_event_text(StringInfo sql, const OrderTable *table)
{
	insert_text(sql, table, table->event_table, event_columns);
}

static const RecordTable cancellations = {STATEMENT_INSERT_CANCELLATION,
										  insert_cancellation_text,
										  cancellation_columns};
static const RecordTable events = {STATEMENT_INSERT_EVENT, insert_event_text,
								   event_columns};

/* Columns and parameters are in the same order. */
static void
fill_slot(TupleTableSlot *slot, const Parameters *p, const RecordMap *map)
{
	ExecClearTuple(slot);
	memset(slot->tts_isnull, true, slot->tts_tupleDescriptor->natts);
	for (int i = 0; i < p->count; i++)
	{
		int column = map->attnums[i] - 1;

		slot->tts_isnull[column] = p->nulls[i] == 'n';
		slot->tts_values[column] = p->values[i];
	}
	ExecStoreVirtualTuple(slot);
}

/* Fills the parameters of one of the rows that are to be inserted. */
typedef void (*FillRow)(const void *rows, int i, Parameters *p);

/* So many rows are put into a table at once. */
#define ROWS_AT_ONCE 100

/* Puts rows into a table directly; the caller has mapped its columns. */
static void
insert_directly(Relation rel, Oid guard, FillRow fill, const void *rows,
				int count, const RecordMap *map)
{
	MemoryContext	caller = CurrentMemoryContext;
	MemoryContext	context = AllocSetContextCreate(caller, "ordcancel rows",
													ALLOCSET_DEFAULT_SIZES);
	TupleTableSlot *slots[ROWS_AT_ONCE];
	int				nslots = Min(count, ROWS_AT_ONCE);
	Parameters		p;
	RowWriter		w;

	writer_open(&w, rel, 0, guard);
	for (int i = 0; i < nslots; i++)
		slots[i] = table_slot_create(rel, NULL);
	MemoryContextSwitchTo(context);
	for (int done = 0; done < count; done += nslots)
	{
		int n = Min(count - done, nslots);

		for (int i = 0; i < n; i++)
		{
			fill(rows, done + i, &p);
			fill_slot(slots[i], &p, map);
		}
		writer_insert(&w, slots, n);
		MemoryContextReset(context);
	}
	MemoryContextSwitchTo(caller);
	for (int i = 0; i < nslots; i++)
		ExecDropSingleTupleTableSlot(slots[i]);
	writer_close(&w);
	MemoryContextDelete(context);
}

static void
insert_rows(OrderTable *table, const RecordTable *records, Oid relid,
			FillRow fill, const void *rows, int count)
{
	Relation   rel = try_table_open(relid, RowExclusiveLock);
	Parameters p;
	RecordMap  map;

	if (rel && writer_may_insert(rel, table->guard_record) &&
		record_map(&map, records->columns, table, RelationGetDescr(rel)) &&
		map.complete)
		insert_directly(rel, table->guard_record, fill, rows, count, &map);
	else
		for (int i = 0; i < count; i++)
		{
			fill(rows, i, &p);
			write_by_statement(table, records->insert, records->insert_text,
							   &p, relid);
		}
	if (rel)
		table_close(rel, NoLock);
}

static int64
next_id(Oid sequence)
{
	return nextval_internal(sequence, false);
}

static void
cancellation_parameters(const void *rows, int i, Parameters *p)
{
	const OrderCase	   *c = ((OrderCase *const *) rows)[i];
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
record_insert(OrderCase **cases, int count)
{
	OrderTable *table;
	Oid			sequence;

	if (count == 0)
		return;
	table = cases[0]->table;
	sequence = config_relation("cancellation_id_seq");
	for (int i = 0; i < count; i++)
	{
		cases[i]->record.id = next_id(sequence);
		cases[i]->has_record = true;
	}
	insert_rows(table, &cancellations, table->cancellation_table,
				cancellation_parameters, cases, count);
}

static void
update_cancellation_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql,
					 "UPDATE ONLY %s AS c SET state = $2, decided_by = $3,"
					 " decided_actor = $4, reason = $5, decision_note = $6,"
					 " undo_note = $7, refund_due = $8, refunded = $9,"
					 " decided_at = $10, closed_at = $11, order_status = $12"
					 " WHERE c.cancellation_id OPERATOR(pg_catalog.=) $1",
					 record_table_label(table->cancellation_table));
}

void
record_update(OrderCase *c)
{
	const Cancellation *r = &c->record;
	Parameters			p = {0};

	parameter_value(&p, INT8OID, Int64GetDatum(r->id), false);
	parameter_text(&p, state_name(r->state));
	parameter_text(&p, r->decided ? party_name(r->decided_by) : NULL);
	parameter_text(&p, r->decided_actor);
	parameter_text(&p, r->reason);
	parameter_text(&p, r->decision_note);
	parameter_text(&p, r->undo_note);
	parameter_numeric(&p, r->refund_due);
	parameter_numeric(&p, r->refunded);
	parameter_time(&p, r->decided_at);
	parameter_time(&p, r->closed_at);
	parameter_text(&p, r->order_status);
	write_by_statement(c->table, STATEMENT_UPDATE_CANCELLATION,
					   update_cancellation_text, &p,
					   c->table->cancellation_table);
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
	const Events	*all = rows;
	const Event		*e = &all->list[i];
	const OrderCase *c = e->order;

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
	parameter_value(p, XID8OID,
					FullTransactionIdGetDatum(GetTopFullTransactionId()),
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
		all.data[i] = i > 0 && same_text(list[i].data, list[i - 1].data) ?
			all.data[i - 1] :
			DirectFunctionCall1(jsonb_in, CStringGetDatum(list[i].data));
	}
	insert_rows(table, &events, table->event_table, event_parameters, &all,
				count);
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
