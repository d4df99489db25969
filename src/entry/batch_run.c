/*
 * batch_run.c — the orders of a batch, chunk by chunk
 *
 * Each chunk is a transaction: locks are short, what is done is done, and the
 * batch's own row says in the same transaction how far it came.  Orders that
 * somebody else has locked are passed over, and waited for one by one at the
 * end, with no other lock in hand.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/subxact.h"
#include "config/config_table.h"
#include "entry/args.h"
#include "entry/cancel_batch.h"
#include "lifecycle/bulk.h"

/* How often the client is told, in milliseconds. */
#define TELL_EVERY 2000

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

/* Between its transactions somebody may drop the extension. */
static void
must_exist(Batch *b)
{
	if (config_relation("batch") == b->relid)
		return;
	b->resumable = false;
	ereport(
		ERROR,
		(errcode(ERRCODE_UNDEFINED_OBJECT),
		 errmsg("extension \"ordcancel\" was dropped while batch " INT64_FORMAT
				" was running",
				b->id),
		 errdetail("It had done " INT64_FORMAT " of " INT64_FORMAT
				   " orders; they stay as they are.",
				   done_count(b), b->total)));
}

/* Finds the table anew: rules and columns may change between transactions. */
static void
begin_step(Batch *b)
{
	CHECK_FOR_INTERRUPTS();
	PushActiveSnapshot(GetTransactionSnapshot());
	must_exist(b);
	b->table = args_table(false, b->orders, RowExclusiveLock);
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
	Batch	  *b = arg;
	CancelArgs args = b->args;

	begin_step(b);
	batch_take_chunk(b);
	args.skip_locked = true;
	bulk_run(b->targets, b->count, &args, true);
	batch_save_chunk(b, false);
	end_if_done(b);
	PopActiveSnapshot();
}

static void
do_waiting(void *arg)
{
	Batch		*b = arg;
	CancelTarget c = {0};
	char		*key;

	begin_step(b);
	key = batch_first_waiting(b);
	c.table = b->table;
	b->targets = &c;
	b->versions = NULL;
	b->count = 1;
	args_read_key(&c, CStringGetTextDatum(key), false, TEXTOID);
	bulk_run(&c, 1, &b->args, true);
	batch_save_chunk(b, true);
	end_if_done(b);
	PopActiveSnapshot();
}

/* The batch's row says what it stopped with, in a transaction of its own. */
pg_noreturn static void
stop(Batch *b, ErrorData *error)
{
	must_exist(b);
	PushActiveSnapshot(GetTransactionSnapshot());
	batch_save_end(b, error);
	PopActiveSnapshot();
	SPI_commit();
	ReThrowError(error);
}

/*
 * The error that a batch ended with, for its client.  It may have come between
 * two steps, where a client is told something, too.
 */
pg_noreturn static void
tell_how_to_resume(const Batch *b, ErrorData *error)
{
	if (error->detail == NULL && b->resumable)
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
step(Batch *b, SubxactStep do_step)
{
	int64	   counts[BATCH_OUTCOMES];
	ErrorData *error;

	/* A snapshot older than a lock would only refuse what has changed. */
	(void) set_config_option("transaction_isolation", "read committed",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
	memcpy(counts, b->counts, sizeof(counts));
	error = subxact_try_any(do_step, b);
	if (error)
	{
		memcpy(b->counts, counts, sizeof(counts));
		stop(b, error);
	}
	SPI_commit();
}

static void
next_step(Batch *b, SubxactStep do_step)
{
	MemoryContext keep = CurrentMemoryContext;

	MemoryContextReset(b->context);
	MemoryContextSwitchTo(b->context);
	step(b, do_step);
	MemoryContextSwitchTo(keep);
	tell_progress(b);
}

static void
run_steps(Batch *b)
{
	batch_choose(b);
	batch_save_total(b);
	end_if_done(b);
	SPI_commit();
	b->resumable = true;
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT " orders", b->id,
					b->left + b->counts[BATCH_WAITING])));
	while (b->left > 0)
		next_step(b, do_chunk);
	while (b->counts[BATCH_WAITING] > 0)
		next_step(b, do_waiting);
	tell_end(b);
}

void
batch_run(Batch *b)
{
	MemoryContext caller = CurrentMemoryContext;

	b->args.matches = batch_still_matches;
	b->args.matches_arg = b;
	PG_TRY();
	{
		run_steps(b);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		if (!b->resumable &&
			!(b->resumed && error->sqlerrcode == ERRCODE_QUERY_CANCELED))
			PG_RE_THROW();
		FlushErrorState();
		tell_how_to_resume(b, error);
	}
	PG_END_TRY();
}

/* What would become of the orders: nothing is locked, and nothing done. */
void
batch_run_dry(Batch *b)
{
	MemoryContext keep = CurrentMemoryContext;

	PushActiveSnapshot(GetTransactionSnapshot());
	batch_choose(b);
	batch_save_total(b);
	b->table = args_table(false, b->orders, AccessShareLock);
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT " orders, dry run",
					b->id, b->left)));
	while (b->left > 0)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(b->context);
		MemoryContextSwitchTo(b->context);
		batch_take_chunk(b);
		bulk_preview(b->targets, b->count, &b->args);
		batch_save_chunk(b, false);
		MemoryContextSwitchTo(keep);
	}
	batch_save_end(b, NULL);
	PopActiveSnapshot();
	batch_tell_summary(b);
}
