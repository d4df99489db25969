/*
 * record.c — the cancellation and event rows
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"

#include "config.h"
#include "order_key.h"
#include "record.h"
#include "refusal.h"
#include "statement.h"

/* Columns in the order of fill_record. */
#define RECORD_COLUMNS                                                      \
	"c.cancellation_id::pg_catalog.int8" TEXT("state") TEXT("requested_by") \
		TEXT("requested_actor") TEXT("decided_by") TEXT("decided_actor")    \
			TEXT("reason") TEXT("note") TEXT("decision_note") TEXT(         \
				"undo_note") TEXT("prior_status") TEXT("order_status")      \
				TEXT("policy") TEXT(                                        \
					"request_key") ", c.refund_due::pg_catalog.numeric"     \
								   ", c.refunded::pg_catalog.numeric" TIME( \
									   "requested_at") TIME("decided_at")   \
									   TIME("closed_at") TIME("deadline")

/* The owner could change a type; the casts cost nothing where none is needed. */
#define TEXT(column) ", c." column "::pg_catalog.text"
#define TIME(column) ", c." column "::pg_catalog.timestamptz"

/* The row being written; see record_write_is_ours. */
static Oid	 writing_relid = InvalidOid;
static int64 writing_id = 0;

/* The record tables are the owner's, who may have renamed or dropped them. */
static char *
relation_label(Oid relid)
{
	char *name = get_rel_name(relid);

	if (name == NULL)
		refusal_raise_invalid_policy(
			"a record table of the order table is missing",
			psprintf("Relation with OID %u was dropped.", relid),
			"Call ordcancel.attach() again to make a new one; what it recorded is lost.");
	return quote_qualified_identifier(get_namespace_name(
										  get_rel_namespace(relid)),
									  name);
}

/*
 * The live cancellation is always the newest: while there is one, the order
 * takes no other, and ids are drawn under the order's lock.
 */
static void
find_newest_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, "SELECT " RECORD_COLUMNS " FROM ONLY %s AS c WHERE ",
					 relation_label(table->cancellation_table));
	order_key_qual(sql, table, "c", table->record_keys, 1);
	appendStringInfoString(sql, " ORDER BY c.cancellation_id DESC LIMIT 1");
}

static void
find_by_id_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT " RECORD_COLUMNS
		" FROM ONLY %s AS c WHERE c.cancellation_id OPERATOR(pg_catalog.=) $1",
		relation_label(table->cancellation_table));
}

static Party
result_party(int column, bool *known)
{
	char *name = result_text(column);
	Party party = PARTY_SYSTEM;

	*known = name != NULL;
	if (name)
		party_from_name(name, &party);
	return party;
}

static bool
fill_record(OrderCase *c)
{
	Cancellation *r = &c->record;
	bool		  known;

	memset(r, 0, sizeof(Cancellation));
	c->has_record = SPI_processed > 0;
	if (!c->has_record)
		return false;
	r->id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1, &known));
	state_from_name(result_text(2), &r->state);
	r->requested_by = result_party(3, &known);
	r->requested_actor = result_text(4);
	r->decided_by = result_party(5, &r->decided);
	r->decided_actor = result_text(6);
	r->reason = result_text(7);
	r->note = result_text(8);
	r->decision_note = result_text(9);
	r->undo_note = result_text(10);
	r->prior_status = result_text(11);
	r->order_status = result_text(12);
	r->policy = result_text(13);
	r->request_key = result_text(14);
	r->refund_due = result_numeric(15);
	r->refunded = result_numeric(16);
	r->requested_at = result_time(17);
	r->decided_at = result_time(18);
	r->closed_at = result_time(19);
	r->deadline = result_time(20);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static void
find(OrderCase *c, Sight sight)
{
	Parameters p = {0};

	parameter_key(&p, c->table, c->key);
	statement_run(c->table, STATEMENT_FIND_NEWEST, find_newest_text, &p,
				  sight);
	fill_record(c);
}

void
record_find(OrderCase *c)
{
	Cancellation latest;
	bool		 found;

	if (!IsolationUsesXactSnapshot())
	{
		find(c, SIGHT_NOW);
		return;
	}

	/*
	 * The transaction's snapshot may be older than a cancellation that took
	 * only a lock on the order row.  What is newer decides; but a transaction
	 * that cannot see it may not build on it either.
	 */
	find(c, SIGHT_LATEST);
	latest = c->record;
	found = c->has_record;
	find(c, SIGHT_NOW);
	if (found != c->has_record || latest.id != c->record.id ||
		latest.state != c->record.state)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg(
				 "could not serialize access due to concurrent cancellation"),
			 errdetail(
				 "A cancellation of order %s of %s was written after this transaction began.",
				 c->key_text, c->table->label),
			 errhint("The transaction might succeed if retried.")));
}

void
record_look(OrderCase *c)
{
	find(c, SIGHT_CALLER);
}

void
record_reread(OrderCase *c)
{
	Parameters p = {0};

	parameter_value(&p, INT8OID, Int64GetDatum(c->record.id), false);
	statement_run(c->table, STATEMENT_FIND_BY_ID, find_by_id_text, &p,
				  SIGHT_LATEST);
	fill_record(c);
}

static void
find_request_key_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT e.order_key::pg_catalog.text, e.source::pg_catalog.text,"
		" e.state::pg_catalog.text, e.to_status::pg_catalog.text,"
		" e.at::pg_catalog.timestamptz, e.cancellation_id::pg_catalog.int8"
		" FROM ONLY %s AS e WHERE e.request_key OPERATOR(pg_catalog.=) $1",
		relation_label(table->event_table));
}

bool
record_find_request_key(OrderTable *table, const char *key, PastCall *past)
{
	Parameters p = {0};
	bool	   isnull;

	parameter_text(&p, key);
	if (statement_run(table, STATEMENT_FIND_REQUEST_KEY, find_request_key_text,
					  &p, SIGHT_LATEST) == 0)
		return false;
	past->order_key = result_text(1);
	past->source = result_text(2);
	state_from_name(result_text(3), &past->state);
	past->order_status = result_text(4);
	past->at = result_time(5);
	past->cancellation_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
														SPI_tuptable->tupdesc,
														6, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static void
find_overdue_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql,
					 "SELECT c.order_key::pg_catalog.text FROM ONLY %s AS c"
					 " WHERE c.state OPERATOR(pg_catalog.=) 'requested'"
					 " AND c.deadline OPERATOR(pg_catalog.<=) $1"
					 " AND c.order_key IS NOT NULL"
					 " ORDER BY c.deadline",
					 relation_label(table->cancellation_table));
}

List *
record_overdue(OrderTable *table, TimestampTz now)
{
	Parameters p = {0};
	List	  *keys = NIL;
	uint64	   rows;

	parameter_time(&p, &now);
	rows = statement_run(table, STATEMENT_FIND_OVERDUE, find_overdue_text, &p,
						 SIGHT_NOW);
	for (uint64 i = 0; i < rows; i++)
		keys = lappend(keys,
					   SPI_getvalue(SPI_tuptable->vals[i],
									SPI_tuptable->tupdesc, 1));
	SPI_freetuptable(SPI_tuptable);
	return keys;
}

static void
unsettled_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT FROM ONLY %s AS e"
		" JOIN ordcancel.refund_method AS m"
		" ON m.code OPERATOR(pg_catalog.=) (e.data OPERATOR(pg_catalog.->>) 'method')"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) $1"
		" AND e.type OPERATOR(pg_catalog.=) 'refunded'"
		" AND m.on_undo OPERATOR(pg_catalog.<>) 'nothing'",
		relation_label(table->event_table));
}

bool
record_unsettled(OrderTable *table, int64 cancellation_id)
{
	Parameters p = {0};

	parameter_value(&p, INT8OID, Int64GetDatum(cancellation_id), false);
	return statement_run(table, STATEMENT_UNSETTLED, unsettled_text, &p,
						 SIGHT_NOW) > 0;
}

/* Appends the key columns' names and, after them, their parameters. */
static void
append_keys(StringInfo sql, const OrderTable *table, int first)
{
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(sql, ", %s", quote_identifier(table->record_keys[i]));
	appendStringInfoString(sql, ") VALUES ($1");
	for (int i = 2; i < first + table->nkeys; i++)
		appendStringInfo(sql, ", $%d", i);
	appendStringInfoChar(sql, ')');
}

/* Runs a statement that writes one row of a record table. */
static void
write_row(OrderTable *table, StatementKind kind, StatementText text,
		  const Parameters *p, Oid relid, int64 id)
{
	Oid	   outer_relid = writing_relid;
	int64  outer_id = writing_id;
	uint64 rows = 0;

	writing_relid = relid;
	writing_id = id;
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
						relation_label(relid)),
				 errhint("Look for a trigger or a rule on the table.")));
}

bool
record_write_is_ours(Oid relid, int64 id)
{
	return OidIsValid(writing_relid) && relid == writing_relid &&
		id == writing_id;
}

static int64
next_id(const char *sequence)
{
	return nextval_internal(config_relation(sequence), false);
}

static void
insert_cancellation_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql,
					 "INSERT INTO %s (cancellation_id, order_key, state,"
					 " requested_by, requested_actor, decided_by,"
					 " decided_actor, reason, note, prior_status,"
					 " order_status, policy, request_key, refund_due,"
					 " refunded, requested_at, decided_at, closed_at,"
					 " deadline",
					 relation_label(table->cancellation_table));
	append_keys(sql, table, 20);
}

void
record_insert(OrderCase *c)
{
	Cancellation *r = &c->record;
	Parameters	  p = {0};

	r->id = next_id("cancellation_id_seq");
	parameter_value(&p, INT8OID, Int64GetDatum(r->id), false);
	parameter_text(&p, c->key_text);
	parameter_text(&p, state_name(r->state));
	parameter_text(&p, party_name(r->requested_by));
	parameter_text(&p, r->requested_actor);
	parameter_text(&p, r->decided ? party_name(r->decided_by) : NULL);
	parameter_text(&p, r->decided_actor);
	parameter_text(&p, r->reason);
	parameter_text(&p, r->note);
	parameter_text(&p, r->prior_status);
	parameter_text(&p, r->order_status);
	parameter_text(&p, r->policy);
	parameter_text(&p, r->request_key);
	parameter_numeric(&p, r->refund_due);
	parameter_numeric(&p, r->refunded);
	parameter_time(&p, r->requested_at);
	parameter_time(&p, r->decided_at);
	parameter_time(&p, r->closed_at);
	parameter_time(&p, r->deadline);
	parameter_key(&p, c->table, c->key);
	write_row(c->table, STATEMENT_INSERT_CANCELLATION,
			  insert_cancellation_text, &p, c->table->cancellation_table,
			  r->id);
	c->has_record = true;
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
					 relation_label(table->cancellation_table));
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
	write_row(c->table, STATEMENT_UPDATE_CANCELLATION,
			  update_cancellation_text, &p, c->table->cancellation_table,
			  r->id);
}

static void
insert_event_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql,
					 "INSERT INTO %s (event_id, cancellation_id,"
					 " order_key, type, from_status, to_status, state, party,"
					 " actor, session_role, reason, data, at, source,"
					 " request_key",
					 relation_label(table->event_table));
	append_keys(sql, table, 16);
}

void
record_event(OrderCase *c, Event *e)
{
	OrderTable *table = c->table;
	Parameters	p = {0};
	Datum		role = DirectFunctionCall1(
			  namein, CStringGetDatum(GetUserNameFromId(GetSessionUserId(), false)));
	MemoryContext caller = CurrentMemoryContext;

	e->id = next_id("event_id_seq");
	parameter_value(&p, INT8OID, Int64GetDatum(e->id), false);
	parameter_value(&p, INT8OID, Int64GetDatum(c->record.id), false);
	parameter_text(&p, c->key_text);
	parameter_text(&p, event_type_name(e->type));
	parameter_text(&p, e->from);
	parameter_text(&p, e->to);
	parameter_text(&p, state_name(e->state));
	parameter_text(&p, party_name(e->party));
	parameter_text(&p, e->actor);
	parameter_value(&p, NAMEOID, role, false);
	parameter_text(&p, e->reason);
	parameter_value(&p, JSONBOID,
					e->data ? DirectFunctionCall1(jsonb_in,
												  CStringGetDatum(e->data)) :
							  (Datum) 0,
					e->data == NULL);
	parameter_time(&p, &e->at);
	parameter_text(&p, e->source);
	parameter_text(&p, e->request_key);
	parameter_key(&p, table, c->key);

	/* Another order's call with the same key may have been a moment earlier. */
	PG_TRY();
	{
		write_row(table, STATEMENT_INSERT_EVENT, insert_event_text, &p,
				  table->event_table, e->id);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (error->sqlerrcode != ERRCODE_UNIQUE_VIOLATION ||
			e->request_key == NULL)
			PG_RE_THROW();
		FlushErrorState();
		refusal_raise_request_key(e->request_key,
								  "Another call used it at the same moment.");
	}
	PG_END_TRY();
}
