/*
 * batch_chunk.c — takes the next orders of those that a batch has selected
 */
#include "postgres.h"

#include "executor/executor.h"
#include "executor/spi.h"

#include "decision/refusal.h"
#include "entry/batch_condition.h"
#include "entry/batch_source.h"
#include "entry/cancel_batch.h"
#include "rows/key.h"
#include "rows/order_key.h"
#include "rows/plan_cache.h"

static void
check_key_types(const Batch *batch, const BatchSource *s)
{
	int norders = batch->table->nkeys;

	for (int i = 0; i < batch_key_columns(s); i++)
	{
		const Column *key;

		if (s->items == NULL)
			key = &batch->table->keys[i];
		else
			key = i < norders ? &s->items->order_keys[i] :
								&s->items->keys[i - norders];
		if (batch->chosen_desc->natts !=
				batch_key_columns(s) + BATCH_VERSION_COLUMNS ||
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
		slot_getattr(row, batch_key_columns(s) + 1, &isnull));
	version.xmin = DatumGetTransactionId(
		slot_getattr(row, batch_key_columns(s) + 2, &isnull));
	version.place = DatumGetObjectId(
		slot_getattr(row, batch_key_columns(s) + 3, &isnull));
	return version;
}

static Datum *
order_key_of_slot(const BatchSource *s, TupleTableSlot *row)
{
	Datum key[INDEX_MAX_KEYS];

	slot_getallattrs(row);
	(void) batch_order_key(s, row->tts_values, row->tts_isnull, key);
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
	BatchSource source = batch_source(batch, batch->table, RowExclusiveLock);

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
	BatchSource source = batch_source(batch, batch->table, RowExclusiveLock);
	bool		whole = batch_reads_as_owner(&source, batch);
	Parameters	p = {0};
	RunAsScope	scope;
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
	matches = whole ?
		batch_matching_rows(&source, batch, SPI_tuptable, count) :
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
