/*
 * batch_run.c — processes a batch, chunk by chunk
 *
 * Each chunk is a transaction, which also records the progress of the batch.
 * Orders that others have locked are skipped, and processed after the last
 * chunk, one per transaction: while the batch waits for a lock on an order, it
 * holds none that others could wait for.
 */
#include "postgres.h"

#include "access/table.h"
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

/* Milliseconds between two progress NOTICEs. */
#define REPORT_INTERVAL 2000

static int64
processed_count(const Batch *b)
{
	int64 done = 0;

	for (int i = 0; i < BATCH_WAITING; i++)
		done += b->counts[i];
	return done;
}

static void
report_progress(Batch *b)
{
	TimestampTz now = GetCurrentTimestamp();
	int64		done = processed_count(b);
	double		seconds = (b->busy + now - b->started) / 1000000.0;
	double		rate = seconds > 0 ? done / seconds : 0;

	if (!TimestampDifferenceExceeds(b->reported, now, REPORT_INTERVAL))
		return;
	b->reported = now;
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT " of " INT64_FORMAT
					" orders processed (%.0f%%), %.0f per second, %.0f s left",
					b->id, done, b->total, 100.0 * done / Max(b->total, 1),
					rate, rate > 0 ? (b->total - done) / rate : 0)));
}

static void
report_end(Batch *b)
{
	ereport(
		NOTICE,
		(errmsg("batch " INT64_FORMAT " done: " INT64_FORMAT
				" canceled, " INT64_FORMAT " in progress, " INT64_FORMAT
				" requested, " INT64_FORMAT
				" already canceled or in progress, " INT64_FORMAT
				" refused, " INT64_FORMAT
				" skipped (condition no longer true)",
				b->id, b->counts[BATCH_CANCELED], b->counts[BATCH_IN_PROGRESS],
				b->counts[BATCH_REQUESTED], b->counts[BATCH_ALREADY],
				b->counts[BATCH_REFUSED], b->counts[BATCH_SKIPPED]),
		 b->counts[BATCH_REFUSED] ?
			 errhint("See ordcancel.batch_refused for the refused orders.") :
			 0));
}

/* The extension may be dropped between two transactions of the batch. */
static void
check_extension_exists(Batch *b)
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
		 errdetail("The batch had processed " INT64_FORMAT " of " INT64_FORMAT
				   " orders, which remain as they are.",
				   processed_count(b), b->total)));
}

/* Looks the table up again: it may change between two transactions. */
static void
begin_step(Batch *b)
{
	CHECK_FOR_INTERRUPTS();
	PushActiveSnapshot(GetTransactionSnapshot());
	check_extension_exists(b);
	b->table = args_table(false, b->orders, RowExclusiveLock);
	b->count = 0;
}

/* Recorded in the transaction of the last step. */
static void
end_if_done(Batch *b)
{
	if (b->left == 0 && b->counts[BATCH_WAITING] == 0)
		batch_save_end(b, NULL);
}

/* Code of the owner must not change the table under the keys of items. */
static Relation
hold_items(const Batch *b)
{
	return OidIsValid(b->items) ? try_table_open(b->items, AccessShareLock) :
								  NULL;
}

static void
release_items(Relation items)
{
	if (items)
		table_close(items, NoLock);
}

static void
do_chunk(void *arg)
{
	Batch	  *b = arg;
	CancelArgs args = b->args;
	Relation   items;

	begin_step(b);
	items = hold_items(b);
	batch_take_chunk(b);
	args.skip_locked = true;
	bulk_run(b->targets, b->count, &args, true);
	release_items(items);
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
	Relation	 items;

	begin_step(b);
	items = hold_items(b);
	key = batch_first_waiting(b);
	c.table = b->table;
	b->targets = &c;
	b->versions = NULL;
	b->count = 1;
	args_read_key(&c, CStringGetTextDatum(key), false, TEXTOID);
	if (OidIsValid(b->items))
		batch_choose_items(b, &c);
	bulk_run(&c, 1, &b->args, true);
	release_items(items);
	batch_save_chunk(b, true);
	end_if_done(b);
	PopActiveSnapshot();
}

/* Records the error in a transaction of its own, and raises it. */
pg_noreturn static void
record_and_rethrow(Batch *b, ErrorData *error)
{
	check_extension_exists(b);
	PushActiveSnapshot(GetTransactionSnapshot());
	batch_save_end(b, error);
	PopActiveSnapshot();
	SPI_commit();
	ReThrowError(error);
}

/*
 * Raises the error that stopped a batch, with the command that resumes it.  It
 * may also come from between two steps, such as a cancel request during a
 * NOTICE.
 */
pg_noreturn static void
rethrow_resumable(const Batch *b, ErrorData *error)
{
	if (error->detail == NULL && b->resumable)
		error->detail = psprintf("Batch " INT64_FORMAT
								 " has processed " INT64_FORMAT
								 " of " INT64_FORMAT " orders.",
								 b->id, processed_count(b), b->total);
	error->hint = psprintf(
		"%s%sTo continue, run CALL ordcancel.resume_batch(" INT64_FORMAT ").",
		error->hint ? error->hint : "", error->hint ? " " : "", b->id);
	ReThrowError(error);
}

/*
 * Runs a step and commits it.  The step runs in a subtransaction, so that
 * after an error the transaction can still record that the batch has stopped.
 */
static void
step(Batch *b, SubxactStep do_step)
{
	int64	   counts[BATCH_OUTCOMES];
	ErrorData *error;

	/* Any other level would only fail where rows have changed. */
	(void) set_config_option("transaction_isolation", "read committed",
							 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_LOCAL,
							 true, 0, false);
	memcpy(counts, b->counts, sizeof(counts));
	error = subxact_try_any(do_step, b);
	if (error)
	{
		memcpy(b->counts, counts, sizeof(counts));
		record_and_rethrow(b, error);
	}
	SPI_commit();
}

static void
next_step(Batch *b, SubxactStep do_step)
{
	MemoryContext caller = CurrentMemoryContext;

	MemoryContextReset(b->context);
	MemoryContextSwitchTo(b->context);
	step(b, do_step);
	MemoryContextSwitchTo(caller);
	report_progress(b);
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
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT
					" orders to process",
					b->id, b->left + b->counts[BATCH_WAITING])));
	while (b->left > 0)
		next_step(b, do_chunk);
	while (b->counts[BATCH_WAITING] > 0)
		next_step(b, do_waiting);
	report_end(b);
}

void
batch_run(Batch *b)
{
	MemoryContext caller = CurrentMemoryContext;

	if (OidIsValid(b->items))
		b->args.item_matches = batch_item_still_matches;
	else
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
		rethrow_resumable(b, error);
	}
	PG_END_TRY();
}

/* Records what would be the outcome; locks and changes no order. */
void
batch_run_dry(Batch *b)
{
	MemoryContext caller = CurrentMemoryContext;

	PushActiveSnapshot(GetTransactionSnapshot());
	batch_choose(b);
	batch_save_total(b);
	b->table = args_table(false, b->orders, AccessShareLock);
	ereport(NOTICE,
			(errmsg("batch " INT64_FORMAT ": " INT64_FORMAT
					" orders to process (dry run)",
					b->id, b->left)));
	while (b->left > 0)
	{
		CHECK_FOR_INTERRUPTS();
		MemoryContextReset(b->context);
		MemoryContextSwitchTo(b->context);
		batch_take_chunk(b);
		bulk_preview(b->targets, b->count, &b->args);
		batch_save_chunk(b, false);
		MemoryContextSwitchTo(caller);
	}
	batch_save_end(b, NULL);
	PopActiveSnapshot();
	batch_report_summary(b);
}
