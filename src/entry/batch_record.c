/*
 * batch_record.c — reads and writes the batch tables
 *
 * The progress of a batch is written in the transaction of the chunk, so that
 * after a crash the batch continues exactly where it was.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/text.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/cancel_batch.h"
#include "lifecycle/bulk.h"
#include "rows/order_key.h"
#include "rows/plan_cache.h"

/* Values of "outcome" columns, and names of columns of ordcancel.batch. */
static const char *const outcome_names[BATCH_OUTCOMES] = {
	"canceled", "in_progress", "requested", "already",
	"refused",	"skipped",	   "waiting"};

static void
parameter_bigint(Parameters *p, int64 value)
{
	parameter_value(p, INT8OID, Int64GetDatum(value), false);
}

/* A text that must fit into an index entry. */
static void
parameter_short(Parameters *p, const char *text, int bytes)
{
	parameter_text(p, text ? text_clip(text, bytes) : NULL);
}

/* An array of texts, which may be NULL. */
static void
parameter_texts(Parameters *p, const char **texts, int count)
{
	Datum *values = palloc(Max(count, 1) * sizeof(Datum));
	bool  *nulls = palloc(Max(count, 1) * sizeof(bool));
	int	   lower = 1;

	for (int i = 0; i < count; i++)
	{
		nulls[i] = texts[i] == NULL;
		values[i] = nulls[i] ? (Datum) 0 : CStringGetTextDatum(texts[i]);
	}
	parameter_value(p, TEXTARRAYOID,
					PointerGetDatum(
						construct_md_array(values, nulls, 1, &count, &lower,
										   TEXTOID, -1, false, TYPALIGN_INT)),
					false);
}

BatchOutcome
batch_outcome(const CancelTarget *c)
{
	if (c->result == TARGET_LOCKED)
		return BATCH_WAITING;
	if (c->result == TARGET_SKIPPED)
		return BATCH_SKIPPED;
	if (c->result != TARGET_DONE)
		return BATCH_REFUSED;
	if (!c->outcome.changed)
		return BATCH_ALREADY;
	return c->outcome.state == STATE_CANCELED ? BATCH_CANCELED :
		c->outcome.state == STATE_IN_PROGRESS ? BATCH_IN_PROGRESS :
												BATCH_REQUESTED;
}

void
batch_create(Batch *b)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	parameter_value(&p, REGCLASSOID, ObjectIdGetDatum(b->orders), false);
	parameter_text(&p, b->condition);
	parameter_text(&p, b->args.reason);
	parameter_text(&p, b->args.note);
	parameter_text(&p, b->args.actor);
	parameter_value(&p, INT4OID, Int32GetDatum(b->chunk), false);
	parameter_value(&p, BOOLOID, BoolGetDatum(b->dry_run), false);
	parameter_text(&p, GetUserNameFromId(b->author, false));
	parameter_text(&p, b->search_path);
	parameter_text(&p, b->date_style);
	parameter_text(&p, b->time_zone);
	parameter_value(&p, REGCLASSOID, ObjectIdGetDatum(b->items),
					!OidIsValid(b->items));
	parameter_value(&p, JSONBOID, JsonbPGetDatum(b->args.metadata),
					b->args.metadata == NULL);
	extension_run(
		&plan,
		"INSERT INTO ordcancel.batch (orders, condition, reason, note, actor,"
		" chunk, dry_run, author, search_path, date_style, time_zone, items,"
		" metadata)"
		" VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
		" RETURNING batch_id",
		&p);
	b->id = DatumGetInt64(result_column(1).value);
	b->args.batch = b->id;
}

bool
batch_load(Batch *b, int64 id)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	parameter_bigint(&p, id);
	if (extension_run(
			&plan,
			"SELECT orders, condition, reason, note, actor, chunk, dry_run,"
			" author::text, search_path, last_key,"
			" (extract(epoch FROM busy) * 1000000)::bigint, canceled,"
			" in_progress, requested, already, refused, skipped, waiting,"
			" ended IS NOT NULL AND error IS NULL, date_style, time_zone,"
			" items, metadata"
			" FROM ordcancel.batch WHERE batch_id = $1",
			&p) == 0)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("batch " INT64_FORMAT " does not exist", id),
				 errhint("See ordcancel.batch_progress.")));
	b->id = b->args.batch = id;
	b->orders = DatumGetObjectId(result_column(1).value);
	b->condition = result_text(2);
	b->args.reason = result_text(3);
	b->args.note = result_text(4);
	b->args.actor = result_text(5);
	b->chunk = DatumGetInt32(result_column(6).value);
	b->dry_run = DatumGetBool(result_column(7).value);
	b->author = get_role_oid(result_text(8), true);
	b->search_path = result_text(9);
	b->last_key = result_text(10);
	b->busy = DatumGetInt64(result_column(11).value);
	for (int i = 0; i < BATCH_OUTCOMES; i++)
		b->counts[i] = DatumGetInt64(result_column(12 + i).value);
	b->date_style = result_text(13 + BATCH_OUTCOMES);
	b->time_zone = result_text(14 + BATCH_OUTCOMES);
	b->items = result_column(15 + BATCH_OUTCOMES).isnull ?
		InvalidOid :
		DatumGetObjectId(result_column(15 + BATCH_OUTCOMES).value);
	if (!result_column(16 + BATCH_OUTCOMES).isnull)
		b->args.metadata = DatumGetJsonbPCopy(
			result_column(16 + BATCH_OUTCOMES).value);
	return DatumGetBool(result_column(12 + BATCH_OUTCOMES).value);
}

void
batch_save_total(Batch *b)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	b->total = b->left;
	for (int i = 0; i < BATCH_OUTCOMES; i++)
		b->total += b->counts[i];
	parameter_bigint(&p, b->id);
	parameter_bigint(&p, b->total);
	extension_run(
		&plan,
		"UPDATE ordcancel.batch SET total = $2, ended = NULL, error = NULL,"
		" error_sqlstate = NULL, updated_at = clock_timestamp()"
		" WHERE batch_id = $1",
		&p);
}

static void
save_groups(const Batch *b)
{
	static SPIPlanPtr plan = NULL;
	ListCell		 *lc;

	foreach(lc, batch_groups(b))
	{
		const OutcomeGroup *g = lfirst(lc);
		Parameters			p = {0};

		parameter_bigint(&p, b->id);
		parameter_short(&p, g->policy, 250);
		parameter_short(&p, g->status, 250);
		parameter_text(&p, outcome_names[g->outcome]);
		parameter_text(&p, g->sqlstate);
		parameter_short(&p, g->hint, 1000);
		parameter_text(&p, g->message);
		parameter_bigint(&p, g->count);
		extension_run(
			&plan,
			"INSERT INTO ordcancel.batch_group AS g (batch_id, policy,"
			" order_status, outcome, sqlstate, hint, example, count)"
			" VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
			" ON CONFLICT (batch_id, policy, order_status, outcome, sqlstate, hint)"
			" DO UPDATE SET count = g.count + excluded.count",
			&p);
	}
}

/* Lists refused and waiting orders one by one. */
static void
save_orders(const Batch *b)
{
	static SPIPlanPtr plan = NULL;
	const char		**keys = palloc(b->count * sizeof(char *));
	const char		**outcomes = palloc(b->count * sizeof(char *));
	const char		**states = palloc(b->count * sizeof(char *));
	const char		**messages = palloc(b->count * sizeof(char *));
	Parameters		  p = {0};
	int				  n = 0;

	for (int i = 0; i < b->count; i++)
	{
		CancelTarget  *c = &b->targets[i];
		const Refusal *refusal = &c->outcome.refusal;
		BatchOutcome   outcome = batch_outcome(c);

		if (outcome != BATCH_REFUSED && outcome != BATCH_WAITING)
			continue;
		keys[n] = order_key_text(c->table, c->key);
		outcomes[n] = outcome_names[outcome];
		states[n] = outcome == BATCH_REFUSED ?
			pstrdup(unpack_sql_state(refusal->sqlstate)) :
			NULL;
		messages[n] = outcome == BATCH_REFUSED ? refusal->message : NULL;
		n++;
	}
	if (n == 0)
		return;
	parameter_bigint(&p, b->id);
	parameter_texts(&p, keys, n);
	parameter_texts(&p, outcomes, n);
	parameter_texts(&p, states, n);
	parameter_texts(&p, messages, n);
	extension_run(
		&plan,
		"INSERT INTO ordcancel.batch_order (batch_id, order_key, outcome,"
		" sqlstate, message)"
		" SELECT $1, o.* FROM unnest($2, $3, $4, $5) AS o",
		&p);
}

/* Removes the waiting order; save_orders adds it again if it was refused. */
static void
delete_waiting(Batch *b)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	parameter_bigint(&p, b->id);
	parameter_bigint(&p, b->waiting_number);
	extension_run(&plan,
				  "DELETE FROM ordcancel.batch_order WHERE batch_id = $1"
				  " AND number = $2",
				  &p);
	b->counts[BATCH_WAITING]--;
}

void
batch_save_chunk(Batch *b, bool waited)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};
	int64			  busy = b->busy + GetCurrentTimestamp() - b->started;

	if (waited)
		delete_waiting(b);
	for (int i = 0; i < b->count; i++)
	{
		bulk_set_refusal(&b->targets[i]);
		b->counts[batch_outcome(&b->targets[i])]++;
	}
	save_groups(b);
	save_orders(b);

	parameter_bigint(&p, b->id);
	parameter_text(&p,
				   waited ?
					   NULL :
					   order_key_text(b->table, b->targets[b->count - 1].key));
	parameter_bigint(&p, busy);
	for (int i = 0; i < BATCH_OUTCOMES; i++)
		parameter_bigint(&p, b->counts[i]);
	extension_run(
		&plan,
		"UPDATE ordcancel.batch SET last_key = coalesce($2, last_key),"
		" busy = $3 * interval '1 microsecond', canceled = $4,"
		" in_progress = $5, requested = $6, already = $7, refused = $8,"
		" skipped = $9, waiting = $10, updated_at = clock_timestamp()"
		" WHERE batch_id = $1",
		&p);
}

void
batch_save_end(Batch *b, const ErrorData *error)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	parameter_bigint(&p, b->id);
	parameter_text(&p, error ? error->message : NULL);
	parameter_text(&p, error ? unpack_sql_state(error->sqlerrcode) : NULL);
	extension_run(
		&plan,
		"UPDATE ordcancel.batch SET ended = clock_timestamp(), error = $2,"
		" error_sqlstate = $3 WHERE batch_id = $1",
		&p);
}

char *
batch_first_waiting(Batch *b)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	parameter_bigint(&p, b->id);
	if (extension_run(&plan,
					  "SELECT order_key, number FROM ordcancel.batch_order"
					  " WHERE batch_id = $1 AND outcome = 'waiting'"
					  " ORDER BY number LIMIT 1",
					  &p) == 0)
		return NULL;
	b->waiting_number = DatumGetInt64(result_column(2).value);
	return result_text(1);
}

void
batch_report_summary(Batch *b)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};
	uint64			  rows;

	parameter_bigint(&p, b->id);
	rows = extension_run(
		&plan,
		"SELECT format('policy %s, status %s: %s %s%s',"
		" coalesce('\"' || policy || '\"', 'unknown'),"
		" coalesce('\"' || order_status || '\"', 'NULL'), count,"
		" CASE outcome WHEN 'already' THEN 'already canceled or in progress'"
		" WHEN 'in_progress' THEN 'would be in progress'"
		" ELSE 'would be ' || outcome END,"
		" ' (' || sqlstate || '), for example: ' || example),"
		" hint FROM ordcancel.batch_group WHERE batch_id = $1"
		" ORDER BY outcome, count DESC",
		&p);
	for (uint64 i = 0; i < rows; i++)
	{
		HeapTuple row = SPI_tuptable->vals[i];
		char	 *hint = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);

		ereport(NOTICE,
				(errmsg_internal("%s",
								 SPI_getvalue(row, SPI_tuptable->tupdesc, 1)),
				 hint ? errhint("%s", hint) : 0));
	}
}
