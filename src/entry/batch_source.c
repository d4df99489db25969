/*
 * batch_source.c — the rows that a batch selects: orders or items
 */
#include "postgres.h"

#include "decision/refusal.h"
#include "entry/batch_condition.h"
#include "entry/batch_source.h"
#include "rows/column_value.h"

BatchSource
batch_source(const Batch *batch, OrderTable *table, LOCKMODE lock)
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

bool
batch_order_key(const BatchSource *s, const Datum *values, const bool *nulls,
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

bool *
batch_matching_rows(const BatchSource *s, const Batch *batch,
					SPITupleTable *fetched, uint64 count)
{
	Datum *rows = palloc(Max(count, 1) * sizeof(Datum));
	bool   isnull;

	for (uint64 i = 0; i < count; i++)
		rows[i] = SPI_getbinval(fetched->vals[i], fetched->tupdesc,
								batch_key_columns(s) + BATCH_VERSION_COLUMNS +
									1,
								&isnull);
	return batch_rows_that_match(s, batch, rows, count);
}
