/*
 * batch.c — cancelling all orders that meet a condition, chunk by chunk
 *
 * Each chunk is a transaction: locks are short, what is done is done, and the
 * batch's own row says in the same transaction how far it came.  Orders that
 * somebody else has locked are passed over, and waited for one by one at the
 * end, with no other lock in hand.
 *
 * While it runs the session holds a lock on the batch, which tells others
 * that it does: after a crash nobody holds it.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "storage/lock.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "attempt.h"
#include "batch.h"
#include "config.h"
#include "entry.h"
#include "expression.h"
#include "lifecycle.h"
#include "order_key.h"
#include "order_set.h"
#include "question.h"
#include "refusal.h"

PG_FUNCTION_INFO_V1(ordcancel_cancel_batch);
PG_FUNCTION_INFO_V1(ordcancel_resume_batch);

#define CHUNK_MAX 100000

/* How often the client is told, in milliseconds. */
#define TELL_EVERY 2000

static bool
call_is_atomic(FunctionCallInfo fcinfo)
{
	return !(fcinfo->context && IsA(fcinfo->context, CallContext)) ||
		castNode(CallContext, fcinfo->context)->atomic;
}

static void
must_not_be_atomic(FunctionCallInfo fcinfo, const char *name, const char *hint)
{
	if (call_is_atomic(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_ACTIVE_SQL_TRANSACTION),
				 errmsg("%s cannot run inside a transaction block", name),
				 errdetail("It commits after each chunk."),
				 errhint("%s", hint)));
}

static LOCKTAG
batch_lock(const Batch *b)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, config_relation("batch"),
					   (uint32) b->id, 0);
	return tag;
}

static void
lock_batch(const Batch *b)
{
	LOCKTAG tag = batch_lock(b);

	if (LockAcquire(&tag, ExclusiveLock, true, true) == LOCKACQUIRE_NOT_AVAIL)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_IN_USE),
				 errmsg("batch " INT64_FORMAT " is running", b->id),
				 errhint("See ordcancel.batch_progress.")));
}

static void
unlock_batch(const Batch *b)
{
	LOCKTAG tag = batch_lock(b);

	LockRelease(&tag, ExclusiveLock, true);
}

static void
run_alone(Batch *b, void (*work)(Batch *))
{
	lock_batch(b);
	PG_TRY();
	{
		work(b);
	}
	PG_FINALLY();
	{
		unlock_batch(b);
	}
	PG_END_TRY();
}

static int64
done_count(const Batch *b)
{
	int64 done = 0;

	for (int i = 0; i < BATCH_WAITING; i++)
		done += b->counts[i];
	return done;
}

/* Tells the client how far it is, from time to time. */
static void
tell_progress(Batch *b)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		done = done_count(b);
	double		seconds = (b->busy + now - b->started) / 1000000.0;
	double		rate = seconds > 0 ? done / seconds : 0;

	if (!TimestampDifferenceExceeds(b->told, now, TELL_EVERY))
		return;
	b->told = now;
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT " of " INT64_FORMAT
					" orders (%.0f %%), %.0f per second, %.0f s left",
					b->id, done, b->total, 100.0 * done / Max(b->total, 1),
					rate, rate > 0 ? (b->total - done) / rate : 0)));
}

static void
tell_end(Batch *b)
{
	ereport(
		NOTICE,
		(errmsg("batch " INT64_FORMAT ": done, " INT64_FORMAT
				" canceled, " INT64_FORMAT " in progress, " INT64_FORMAT
				" requested, " INT64_FORMAT " already so, " INT64_FORMAT
				" refused, " INT64_FORMAT " no longer meant",
				b->id, b->counts[BATCH_CANCELED], b->counts[BATCH_IN_PROGRESS],
				b->counts[BATCH_REQUESTED], b->counts[BATCH_ALREADY],
				b->counts[BATCH_REFUSED], b->counts[BATCH_SKIPPED]),
		 b->counts[BATCH_REFUSED] ?
			 errhint("ordcancel.batch_refused lists those that are refused.") :
			 0));
}

/* Finds the table anew: rules and columns may change between transactions. */
static void
begin_step(Batch *b)
{
	CHECK_FOR_INTERRUPTS();
	PushActiveSnapshot(GetTransactionSnapshot());
	b->table = entry_table(false, b->orders, RowExclusiveLock);
	b->count = 0;
}

/* The last step says that it was, and is no transaction more. */
static void
end_if_done(Batch *b)
{
	if (b->left == 0 && b->counts[BATCH_WAITING] == 0)
		batch_save_end(b, NULL);
}

static void
do_chunk(void *arg)
{
	Batch *b = arg;
	Call   call = b->call;

	begin_step(b);
	batch_take_chunk(b);
	call.skip_locked = true;
	order_set_call(b->cases, b->count, &call, true);
	batch_save_chunk(b, false);
	end_if_done(b);
	PopActiveSnapshot();
}

static void
do_waiting(void *arg)
{
	Batch	 *b = arg;
	OrderCase c = {0};
	char	 *key;

	begin_step(b);
	key = batch_first_waiting(b);
	c.table = b->table;
	b->cases = &c;
	b->versions = NULL;
	b->count = 1;
	entry_read_key(&c, CStringGetTextDatum(key), false, TEXTOID);
	order_set_call(&c, 1, &b->call, true);
	batch_save_chunk(b, true);
	end_if_done(b);
	PopActiveSnapshot();
}

/*
 * The error that a batch stopped with, for its client.  Its row says so too,
 * in a transaction of its own.
 */
pg_noreturn static void
stop(Batch *b, ErrorData *error)
{
	PushActiveSnapshot(GetTransactionSnapshot());
	batch_save_end(b, error);
	PopActiveSnapshot();
	SPI_commit();
	if (error->detail == NULL)
		error->detail = psprintf("Batch " INT64_FORMAT
								 " has done " INT64_FORMAT " of " INT64_FORMAT
								 " orders.",
								 b->id, done_count(b), b->total);
	error->hint = psprintf("%s%sCALL ordcancel.resume_batch(" INT64_FORMAT
						   ") goes on from there.",
						   error->hint ? error->hint : "",
						   error->hint ? " Then " : "", b->id);
	ReThrowError(error);
}

/*
 * Runs a step in a subtransaction, so that after an error the transaction is
 * good to write down that the batch has stopped, and commits it.
 */
static void
step(Batch *b, AttemptStep do_step)
{
	int64	   counts[BATCH_OUTCOMES];
	ErrorData *error;

	/* A snapshot older than a lock would only refuse what has changed. */
	(void) set_config_option("transaction_isolation", "read committed",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
	memcpy(counts, b->counts, sizeof(counts));
	error = attempt_any(do_step, b);
	if (error)
	{
		memcpy(b->counts, counts, sizeof(counts));
		stop(b, error);
	}
	SPI_commit();
}

static void
next_step(Batch *b, AttemptStep do_step)
{
	MemoryContext keep = CurrentMemoryContext;

	MemoryContextReset(b->context);
	MemoryContextSwitchTo(b->context);
	step(b, do_step);
	MemoryContextSwitchTo(keep);
	tell_progress(b);
}

static void
run_batch(Batch *b)
{
	b->call.wanted = batch_still_wanted;
	b->call.wanted_arg = b;
	batch_choose(b);
	batch_save_total(b);
	end_if_done(b);
	SPI_commit();
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT " orders", b->id,
					b->left + b->counts[BATCH_WAITING])));
	while (b->left > 0)
		next_step(b, do_chunk);
	while (b->counts[BATCH_WAITING] > 0)
		next_step(b, do_waiting);
	tell_end(b);
}

/* What would become of the orders: nothing is locked, and nothing done. */
static void
run_dry(Batch *b)
{
	MemoryContext keep = CurrentMemoryContext;

	PushActiveSnapshot(GetTransactionSnapshot());
	batch_choose(b);
	batch_save_total(b);
	b->table = entry_table(false, b->orders, AccessShareLock);
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT " orders, dry run",
					b->id, b->left)));
	while (b->left > 0)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(b->context);
		MemoryContextSwitchTo(b->context);
		batch_take_chunk(b);
		order_set_preview(b->cases, b->count, &b->call);
		batch_save_chunk(b, false);
		MemoryContextSwitchTo(keep);
	}
	batch_save_end(b, NULL);
	PopActiveSnapshot();
	batch_tell_summary(b);
}

static void
prepare(Batch *b)
{
	b->context = AllocSetContextCreate(CurrentMemoryContext, "ordcancel batch",
									   ALLOCSET_DEFAULT_SIZES);
	b->started = b->told = GetCurrentTimestamp();
	b->call.verb = VERB_CANCEL_ORDER;
	b->call.party = PARTY_MERCHANT;
	b->call.source = "cancel_batch";
}

static void
check_condition(const char *condition)
{
	if (condition == NULL || !expression_is_one(condition))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("condition must be one expression over the order row"),
				 errhint("For all orders it is 'true'.")));
}

static int
chunk_argument(FunctionCallInfo fcinfo, int arg)
{
	int chunk = PG_ARGISNULL(arg) ? 0 : PG_GETARG_INT32(arg);

	if (chunk < 1 || chunk > CHUNK_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("chunk must be between 1 and %d", CHUNK_MAX)));
	return chunk;
}

/* (orders, condition, reason, note, actor, chunk, dry_run) */
Datum
ordcancel_cancel_batch(PG_FUNCTION_ARGS)
{
	Batch	b = {0};
	Refusal refusal;

	b.dry_run = !PG_ARGISNULL(6) && PG_GETARG_BOOL(6);
	if (!b.dry_run)
		must_not_be_atomic(
			fcinfo, "cancel_batch",
			"Call it by itself, or call ordcancel.cancel_orders().");

	/* SPI's own context outlives the commits in between. */
	SPI_connect_ext(call_is_atomic(fcinfo) ? 0 : SPI_OPT_NONATOMIC);
	entry_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	b.orders = PG_GETARG_OID(0);
	b.condition = entry_text(fcinfo, 1);
	check_condition(b.condition);
	b.call.reason = entry_text(fcinfo, 2);
	b.call.note = entry_text(fcinfo, 3);
	b.call.actor = entry_actor(fcinfo, 4);
	b.chunk = chunk_argument(fcinfo, 5);
	b.author = GetUserId();
	b.search_path = pstrdup(namespace_search_path);
	prepare(&b);
	if (!question_words_fit(&b.call, &refusal))
		refusal_raise(&refusal);
	PreventCommandIfReadOnly("cancel_batch()");
	batch_create(&b);
	if (b.dry_run)
		run_dry(&b);
	else
		run_alone(&b, run_batch);
	SPI_finish();
	PG_RETURN_VOID();
}

/* The condition is its author's, and runs with nobody else's rights. */
static void
must_be_author(const Batch *b)
{
	char *author;

	if (GetUserId() == b->author)
		return;
	author = OidIsValid(b->author) ? GetUserNameFromId(b->author, true) : NULL;
	ereport(ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("batch " INT64_FORMAT " was begun by another role", b->id),
			 author ?
				 errdetail("It is that of %s.", quote_identifier(author)) :
				 errdetail("That role was dropped."),
			 author ? errhint("SET ROLE %s, then resume it.",
							  quote_identifier(author)) :
					  0));
}

/* Read under the lock: another session may just have gone on with it. */
static void
load_and_run(Batch *b)
{
	bool done = batch_load(b, b->id);

	must_be_author(b);
	if (done)
	{
		ereport(NOTICE, (errmsg("batch " INT64_FORMAT " is done", b->id)));
		return;
	}
	entry_table(false, b->orders, AccessShareLock);
	run_batch(b);
}

Datum
ordcancel_resume_batch(PG_FUNCTION_ARGS)
{
	Batch b = {0};

	must_not_be_atomic(fcinfo, "resume_batch", "Call it by itself.");
	SPI_connect_ext(SPI_OPT_NONATOMIC);
	if (PG_ARGISNULL(0))
		ereport(ERROR,
				(errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
				 errmsg("batch id must not be null")));
	b.id = PG_GETARG_INT64(0);
	prepare(&b);
	run_alone(&b, load_and_run);
	SPI_finish();
	PG_RETURN_VOID();
}
