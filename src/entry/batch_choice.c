/*
 * batch_choice.c — selects the orders of a batch
 *
 * One query selects them, sorted by key, into a tuplestore: in memory, or in a
 * temporary file beyond work_mem.  An order is canceled only if it still meets
 * the condition when it is locked.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/batch_condition.h"
#include "entry/cancel_batch.h"
#include "rows/order_key.h"

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
 * Adds a row to the tuplestore, unless its key is not greater than "after".
 * Values must not point to TOAST, which may be gone when they are read.
 */
static void
add_row(Batch *batch, const OrderTable *table, HeapTuple row, TupleDesc desc,
		const Datum *after)
{
	Datum values[INDEX_MAX_KEYS + 2];
	bool  nulls[INDEX_MAX_KEYS + 2];

	for (int i = 0; i < table->nkeys + 2; i++)
	{
		values[i] = SPI_getbinval(row, desc, i + 1, &nulls[i]);
		if (TupleDescAttr(desc, i)->attlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	}
	if (after && order_key_compare(table, values, after) <= 0)
		return;
	tuplestore_putvalues(batch->chosen, batch->chosen_desc, values, nulls);
	batch->left++;
}

/* Which of the fetched whole rows match the condition? */
static bool *
matching_rows(const OrderTable *table, const Batch *batch,
			  SPITupleTable *fetched, uint64 count)
{
	Datum *rows = palloc(Max(count, 1) * sizeof(Datum));
	bool   isnull;

	for (uint64 i = 0; i < count; i++)
		rows[i] = SPI_getbinval(fetched->vals[i], fetched->tupdesc,
								table->nkeys + 3, &isnull);
	return batch_rows_that_match(table, batch, rows, count);
}

static void
choose(Batch *batch, const OrderTable *table, bool whole, const Datum *after)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext rows = AllocSetContextCreate(caller,
											   "ordcancel batch choice",
											   ALLOCSET_DEFAULT_SIZES);
	RunAsScope	  scope;
	Portal		  cursor = NULL;
	uint64		  count;

	do
	{
		SPITupleTable *fetched;
		bool		  *matches;

		batch_run_as_reader(&scope, table, batch, whole);
		if (cursor == NULL)
		{
			cursor = SPI_cursor_open_with_args(NULL,
											   batch_choose_text(table, batch,
																 whole),
											   0, NULL, NULL, NULL, false, 0);
			MemoryContextSwitchTo(caller);
			batch->chosen_desc = CreateTemplateTupleDesc(table->nkeys + 2);
			for (int i = 1; i <= table->nkeys + 2; i++)
				TupleDescCopyEntry(batch->chosen_desc, i, cursor->tupDesc, i);
			finalize_tuple_desc(batch->chosen_desc);
		}
		SPI_cursor_fetch(cursor, true, whole ? FETCH_WHOLE : FETCH_COUNT);
		run_as_end(&scope);
		MemoryContextSwitchTo(rows);
		count = SPI_processed;
		fetched = SPI_tuptable;
		matches = whole ? matching_rows(table, batch, fetched, count) : NULL;
		for (uint64 i = 0; i < count; i++)
			if (matches == NULL || matches[i])
				add_row(batch, table, fetched->vals[i], fetched->tupdesc,
						after);
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
	Datum	   *after = resume_point(batch, table);

	batch->chosen = tuplestore_begin_heap(false, true, work_mem);
	choose(batch, table, batch_reads_as_owner(table, batch), after);
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

static void
check_key_types(const Batch *batch)
{
	for (int i = 0; i < batch->table->nkeys; i++)
		if (batch->chosen_desc->natts != batch->table->nkeys + 2 ||
			TupleDescAttr(batch->chosen_desc, i)->atttypid !=
				batch->table->keys[i].type)
			refusal_raise_invalid_policy(
				psprintf("primary key of %s has changed", batch->table->label),
				"The batch selected its orders by the previous primary key.",
				NULL);
}

void
batch_take_chunk(Batch *batch)
{
	OrderTable	   *table = batch->table;
	TupleTableSlot *row = MakeSingleTupleTableSlot(batch->chosen_desc,
												   &TTSOpsMinimalTuple);
	bool			isnull;

	check_key_types(batch);
	batch->targets = palloc0(batch->chunk * sizeof(CancelTarget));
	batch->versions = palloc0(batch->chunk * sizeof(RowVersion));
	batch->count = 0;
	while (batch->count < batch->chunk &&
		   tuplestore_gettupleslot(batch->chosen, true, false, row))
	{
		CancelTarget *c = &batch->targets[batch->count];
		RowVersion	 *version = &batch->versions[batch->count];

		c->table = table;
		c->key = palloc(table->nkeys * sizeof(Datum));
		for (int i = 0; i < table->nkeys; i++)
			c->key[i] = datumCopy(slot_getattr(row, i + 1, &isnull),
								  table->keys[i].typbyval,
								  table->keys[i].typlen);
		version->tid = *(ItemPointer) DatumGetPointer(
			slot_getattr(row, table->nkeys + 1, &isnull));
		version->xmin = DatumGetTransactionId(
			slot_getattr(row, table->nkeys + 2, &isnull));
		batch->count++;
		batch->left--;
	}
	ExecDropSingleTupleTableSlot(row);
}
