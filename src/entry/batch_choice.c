/*
 * batch_choice.c — selects the orders of a batch
 *
 * One query selects them, sorted by key, into a tuplestore: in memory, or in a
 * temporary file beyond work_mem.  An order is canceled only if it still meets
 * the condition when it is locked.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/batch_condition.h"
#include "entry/batch_source.h"
#include "entry/cancel_batch.h"
#include "rows/key.h"
#include "rows/order_key.h"
#include "rows/order_row.h"

/* Rows fetched at once, if only keys are selected. */
#define FETCH_COUNT 1000

/* Rows fetched at once, if whole rows are selected. */
#define FETCH_WHOLE 100

/* The last key that an earlier run has processed, or NULL. */
static Datum *
resume_point(const Batch *batch, const OrderTable *table)
{
	RunAsScope scope;
	Datum	  *key;
	char	  *why;
	bool	   fits;

	if (batch->last_key == NULL)
		return NULL;
	key = palloc(table->nkeys * sizeof(Datum));
	run_as_owner_restricted(&scope, table);
	fits = order_key_read(table, CStringGetTextDatum(batch->last_key), false,
						  TEXTOID, key, &why);
	run_as_end(&scope);
	if (!fits)
		refusal_raise_invalid_policy(psprintf("batch " INT64_FORMAT
											  " cannot be resumed",
											  batch->id),
									 why, "Start a new batch.");
	return key;
}

/*
 * Adds a row to the tuplestore, unless the order's key is not greater than
 * "after".  Values must not point to TOAST, which may be gone when they are
 * read.
 */
static void
add_row(Batch *batch, const BatchSource *s, HeapTuple row, TupleDesc desc,
		const Datum *after)
{
	Datum values[2 * INDEX_MAX_KEYS + BATCH_VERSION_COLUMNS];
	bool  nulls[2 * INDEX_MAX_KEYS + BATCH_VERSION_COLUMNS];
	Datum key[INDEX_MAX_KEYS];

	for (int i = 0; i < batch_key_columns(s) + BATCH_VERSION_COLUMNS; i++)
	{
		values[i] = SPI_getbinval(row, desc, i + 1, &nulls[i]);
		if (TupleDescAttr(desc, i)->attlen == -1 && !nulls[i])
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	}
	if (!batch_order_key(s, values, nulls, key) ||
		(after && order_key_compare(s->table, key, after) <= 0))
		return;
	tuplestore_putvalues(batch->chosen, batch->chosen_desc, values, nulls);

	/* What is counted are orders. */
	if (batch->counted_key &&
		order_key_compare(s->table, batch->counted_key, key) == 0)
		return;
	batch->left++;
	if (s->items)
	{
		MemoryContext caller = MemoryContextSwitchTo(batch->counted_context);

		batch->counted_key = key_copy(s->table->keys, s->table->nkeys, key);
		MemoryContextSwitchTo(caller);
	}
}

/*
 * Marks rows of orders that deleted_when hides as not matching.  It is code of
 * the owner, so it cannot be part of the author's query.
 */
static bool *
leave_out_deleted(const BatchSource *s, SPITupleTable *fetched, uint64 count,
				  bool *matches)
{
	CancelTarget *targets = palloc0(Max(count, 1) * sizeof(CancelTarget));
	Datum		  values[INDEX_MAX_KEYS];
	bool		  nulls[INDEX_MAX_KEYS];
	RunAsScope	  scope;

	if (s->table->deleted_when == NULL || count == 0)
		return matches;
	run_as_owner_spi(&scope, s->table);
	for (uint64 i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		c->table = s->table;
		c->key = palloc(s->table->nkeys * sizeof(Datum));
		for (int k = 0; k < s->table->nkeys; k++)
			values[k] = SPI_getbinval(fetched->vals[i], fetched->tupdesc,
									  k + 1, &nulls[k]);
		if ((matches && !matches[i]) ||
			!batch_order_key(s, values, nulls, c->key))
			c->result = TARGET_SKIPPED;
	}
	order_read(targets, count, READ_CURRENT);
	run_as_end_spi(&scope);
	matches = palloc(count * sizeof(bool));
	for (uint64 i = 0; i < count; i++)
		matches[i] = targets[i].result == TARGET_OPEN;
	return matches;
}

static void
choose(Batch *batch, const BatchSource *s, bool whole, const Datum *after)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext rows = AllocSetContextCreate(caller,
											   "ordcancel batch choice",
											   ALLOCSET_DEFAULT_SIZES);
	int			  columns = batch_key_columns(s) + BATCH_VERSION_COLUMNS;
	RunAsScope	  scope;
	Portal		  cursor = NULL;
	uint64		  count;

	do
	{
		SPITupleTable *fetched;
		bool		  *matches;

		batch_run_as_reader(&scope, s->table, batch, whole);
		if (cursor == NULL)
		{
			cursor = SPI_cursor_open_with_args(NULL,
											   batch_choose_text(s, batch,
																 whole, false),
											   0, NULL, NULL, NULL, false, 0);
			MemoryContextSwitchTo(caller);
			batch->chosen_desc = CreateTemplateTupleDesc(columns);
			for (int i = 1; i <= columns; i++)
				TupleDescCopyEntry(batch->chosen_desc, i, cursor->tupDesc, i);
			finalize_tuple_desc(batch->chosen_desc);
		}
		SPI_cursor_fetch(cursor, true, whole ? FETCH_WHOLE : FETCH_COUNT);
		run_as_end(&scope);
		MemoryContextSwitchTo(rows);
		count = SPI_processed;
		fetched = SPI_tuptable;
		matches = whole ? batch_matching_rows(s, batch, fetched, count) : NULL;
		matches = leave_out_deleted(s, fetched, count, matches);
		for (uint64 i = 0; i < count; i++)
			if (matches == NULL || matches[i])
				add_row(batch, s, fetched->vals[i], fetched->tupdesc, after);
		SPI_freetuptable(fetched);
		MemoryContextReset(rows);
	} while (count > 0);
	SPI_cursor_close(cursor);
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(rows);
}

void
batch_choose(Batch *batch)
{
	OrderTable *table = args_table(false, batch->orders, AccessShareLock);
	BatchSource source = batch_source(batch, table, AccessShareLock);
	Datum	   *after = resume_point(batch, table);

	batch->chosen = tuplestore_begin_heap(false, true, work_mem);
	batch->counted_context = CurrentMemoryContext;
	choose(batch, &source, batch_reads_as_owner(&source, batch), after);
}

/*
 * Called after errors too.  Closing a temporary file writes its buffer, which
 * must not fail with temp_file_limit again.
 */
void
batch_release_chosen(Batch *batch)
{
	int nest;

	if (batch->chosen == NULL)
		return;
	nest = NewGUCNestLevel();
	(void) set_config_option("temp_file_limit", "-1", PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	tuplestore_end(batch->chosen);
	batch->chosen = NULL;
	AtEOXact_GUC(true, nest);
}
