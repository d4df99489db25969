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

#include "config/item_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/batch_condition.h"
#include "entry/cancel_batch.h"
#include "rows/column_value.h"
#include "rows/key.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"

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

static BatchSource
source_of(const Batch *batch, OrderTable *table, LOCKMODE lock)
{
	BatchSource source = {table, NULL};

	if (!OidIsValid(batch->items))
		return source;
	source.items = item_table_open(table, lock);
	if (source.items == NULL || source.items->relid != batch->items)
		refusal_raise_invalid_policy(
			psprintf(
				"the items of %s are no longer those of batch " INT64_FORMAT,
				table->label, batch->id),
			NULL, "Start a new batch.");
	return source;
}

/* The columns after those of the key: ctid, xmin, tableoid. */
#define VERSION_COLUMNS 3

/* The key columns that are selected: of the order, then of the item. */
static int
key_columns(const BatchSource *s)
{
	return s->table->nkeys + (s->items ? s->items->nkeys : 0);
}

/*
 * Reads the order's key from the first columns of a row.  Returns false if one
 * is null, as in an item that belongs to no order.
 */
static bool
order_key_of(const BatchSource *s, const Datum *values, const bool *nulls,
			 Datum *key)
{
	for (int i = 0; i < s->table->nkeys; i++)
	{
		if (nulls[i])
			return false;
		key[i] = s->items ? column_from_value(&s->table->keys[i], values[i],
											  s->items->order_keys[i].type) :
							values[i];
	}
	return true;
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
	Datum values[2 * INDEX_MAX_KEYS + VERSION_COLUMNS];
	bool  nulls[2 * INDEX_MAX_KEYS + VERSION_COLUMNS];
	Datum key[INDEX_MAX_KEYS];

	for (int i = 0; i < key_columns(s) + VERSION_COLUMNS; i++)
	{
		values[i] = SPI_getbinval(row, desc, i + 1, &nulls[i]);
		if (TupleDescAttr(desc, i)->attlen == -1 && !nulls[i])
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	}
	if (!order_key_of(s, values, nulls, key) ||
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

/* Which of the fetched whole rows match the condition? */
static bool *
matching_rows(const BatchSource *s, const Batch *batch, SPITupleTable *fetched,
			  uint64 count)
{
	Datum *rows = palloc(Max(count, 1) * sizeof(Datum));
	bool   isnull;

	for (uint64 i = 0; i < count; i++)
		rows[i] = SPI_getbinval(fetched->vals[i], fetched->tupdesc,
								key_columns(s) + VERSION_COLUMNS + 1, &isnull);
	return batch_rows_that_match(s, batch, rows, count);
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
			!order_key_of(s, values, nulls, c->key))
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
	int			  columns = key_columns(s) + VERSION_COLUMNS;
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
		matches = whole ? matching_rows(s, batch, fetched, count) : NULL;
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
	BatchSource source = source_of(batch, table, AccessShareLock);
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

static void
check_key_types(const Batch *batch, const BatchSource *s)
{
	int norders = batch->table->nkeys;

	for (int i = 0; i < key_columns(s); i++)
	{
		const Column *key;

		if (s->items == NULL)
			key = &batch->table->keys[i];
		else
			key = i < norders ? &s->items->order_keys[i] :
								&s->items->keys[i - norders];
		if (batch->chosen_desc->natts != key_columns(s) + VERSION_COLUMNS ||
			TupleDescAttr(batch->chosen_desc, i)->atttypid != key->type)
			refusal_raise_invalid_policy(
				psprintf("primary key of %s has changed", batch->table->label),
				"The batch selected its orders by the previous primary key.",
				NULL);
	}
}

static RowVersion
version_of(const BatchSource *s, TupleTableSlot *row)
{
	bool	   isnull;
	RowVersion version;

	version.tid = *(ItemPointer) DatumGetPointer(
		slot_getattr(row, key_columns(s) + 1, &isnull));
	version.xmin = DatumGetTransactionId(
		slot_getattr(row, key_columns(s) + 2, &isnull));
	version.place = DatumGetObjectId(
		slot_getattr(row, key_columns(s) + 3, &isnull));
	return version;
}

static Datum *
order_key_of_slot(const BatchSource *s, TupleTableSlot *row)
{
	Datum key[INDEX_MAX_KEYS];

	slot_getallattrs(row);
	(void) order_key_of(s, row->tts_values, row->tts_isnull, key);
	return key_copy(s->table->keys, s->table->nkeys, key);
}

/* Appends the item of the row to those of the order. */
static void
add_item(CancelTarget *c, const BatchSource *s, TupleTableSlot *row)
{
	ItemArg	  *item = palloc0(sizeof(ItemArg));
	RowVersion version = version_of(s, row);

	slot_getallattrs(row);
	item->key = key_copy(s->items->keys, s->items->nkeys,
						 &row->tts_values[s->table->nkeys]);
	item->key_text = key_text(s->items->keys, s->items->nkeys,
							  s->items->key_desc, s->items->key_has_format,
							  item->key);
	item->if_any = true;
	item->tid = version.tid;
	item->xmin = version.xmin;
	c->item_args = lappend(c->item_args, item);
}

/* The copy of the row outlives the chunk. */
static void
next_item(Batch *batch)
{
	MemoryContext caller = MemoryContextSwitchTo(batch->counted_context);

	if (batch->next == NULL)
		batch->next = MakeSingleTupleTableSlot(batch->chosen_desc,
											   &TTSOpsMinimalTuple);
	(void) tuplestore_gettupleslot(batch->chosen, true, true, batch->next);
	MemoryContextSwitchTo(caller);
}

/*
 * Takes the rows of the next orders.  Of items, the last row that was read is
 * the first one of the next chunk, and stays in batch->next.
 */
static void
take_items(Batch *batch, const BatchSource *s)
{
	TupleTableSlot *row = batch->next;

	while (!TupIsNull(row))
	{
		Datum		 *key = order_key_of_slot(s, row);
		CancelTarget *c = batch->count ? &batch->targets[batch->count - 1] :
										 NULL;

		if (c == NULL || order_key_compare(s->table, c->key, key) != 0)
		{
			if (batch->count == batch->chunk)
				return;
			c = &batch->targets[batch->count++];
			c->table = s->table;
			c->item_table = s->items;
			c->key = key;
			batch->left--;
		}
		add_item(c, s, row);
		next_item(batch);
	}
}

static void
take_orders(Batch *batch, const BatchSource *s)
{
	TupleTableSlot *row = MakeSingleTupleTableSlot(batch->chosen_desc,
												   &TTSOpsMinimalTuple);

	batch->versions = palloc0(batch->chunk * sizeof(RowVersion));
	while (batch->count < batch->chunk &&
		   tuplestore_gettupleslot(batch->chosen, true, false, row))
	{
		CancelTarget *c = &batch->targets[batch->count];

		c->table = s->table;
		c->key = order_key_of_slot(s, row);
		batch->versions[batch->count] = version_of(s, row);
		batch->count++;
		batch->left--;
	}
	ExecDropSingleTupleTableSlot(row);
}

void
batch_take_chunk(Batch *batch)
{
	BatchSource source = source_of(batch, batch->table, RowExclusiveLock);

	check_key_types(batch, &source);
	batch->targets = palloc0(batch->chunk * sizeof(CancelTarget));
	batch->versions = NULL;
	batch->count = 0;
	if (source.items && batch->next == NULL)
		next_item(batch);
	if (source.items)
		take_items(batch, &source);
	else
		take_orders(batch, &source);
}

/* For an order that was locked when its chunk was processed. */
void
batch_choose_items(const Batch *batch, CancelTarget *c)
{
	BatchSource		source = source_of(batch, batch->table, RowExclusiveLock);
	bool			whole = batch_reads_as_owner(&source, batch);
	Parameters		p = {0};
	RunAsScope		scope;
	TupleTableSlot *row;
	bool		   *matches;
	uint64			count;

	c->item_table = source.items;
	parameter_key(&p, c->table, c->key);
	batch_run_as_reader(&scope, c->table, batch, whole);
	if (SPI_execute_with_args(batch_choose_text(&source, batch, whole, true),
							  p.count, p.types, p.values, p.nulls, false,
							  0) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s",
			 SPI_result_code_string(SPI_result));
	run_as_end(&scope);
	count = SPI_processed;
	matches = whole ? matching_rows(&source, batch, SPI_tuptable, count) :
					  NULL;
	row = MakeSingleTupleTableSlot(SPI_tuptable->tupdesc, &TTSOpsHeapTuple);
	for (uint64 i = 0; i < count; i++)
		if (source.items && (matches == NULL || matches[i]))
		{
			ExecStoreHeapTuple(SPI_tuptable->vals[i], row, false);
			add_item(c, &source, row);
		}
	ExecDropSingleTupleTableSlot(row);
}
