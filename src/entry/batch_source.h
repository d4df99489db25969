/*
 * batch_source.h — the rows that a batch selects: orders or items
 */
#ifndef ORDCANCEL_BATCH_SOURCE_H
#define ORDCANCEL_BATCH_SOURCE_H

#include "executor/spi.h"

#include "config/item_table.h"
#include "entry/cancel_batch.h"

/* The columns after those of the key: ctid, xmin, tableoid. */
#define BATCH_VERSION_COLUMNS 3

/* OC014 if the items of the table are others now. */
extern BatchSource batch_source(const Batch *batch, OrderTable *table,
								LOCKMODE lock);

/* The key columns that are selected: of the order, then of the item. */
static inline int
batch_key_columns(const BatchSource *s)
{
	return s->table->nkeys + (s->items ? s->items->nkeys : 0);
}

/*
 * Reads the order's key from the first columns of a row.  Returns false if one
 * is null, as in an item that belongs to no order.
 */
extern bool batch_order_key(const BatchSource *s, const Datum *values,
							const bool *nulls, Datum *key);

/* Which of the fetched whole rows match the condition? */
extern bool *batch_matching_rows(const BatchSource *s, const Batch *batch,
								 SPITupleTable *fetched, uint64 count);

#endif /* ORDCANCEL_BATCH_SOURCE_H */
