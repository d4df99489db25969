/*
 * batch_condition.h — evaluates the condition of a batch, as its author
 */
#ifndef ORDCANCEL_BATCH_CONDITION_H
#define ORDCANCEL_BATCH_CONDITION_H

#include "config/run_as.h"
#include "entry/cancel_batch.h"

/*
 * Whether rows are read as the owner of the order table, and the condition is
 * then evaluated as the author over these rows alone.
 */
extern bool batch_reads_as_owner(const BatchSource *source,
								 const Batch	   *batch);

/*
 * Switches to the role that reads rows: the owner of the table if "as_owner",
 * else the author.  End it with run_as_end.
 */
extern void batch_run_as_reader(RunAsScope *scope, const OrderTable *table,
								const Batch *batch, bool as_owner);

/*
 * The query that selects the orders, or items: key columns (of the order, then
 * of the item), ctid, xmin, tableoid, and if "whole" the row itself, sorted by key.
 * one_order: only items of the order whose key is in the parameters.
 */
extern char *batch_choose_text(const BatchSource *source, const Batch *batch,
							   bool whole, bool one_order);

/*
 * Evaluates the condition over row Datums.  Returns an array with one element
 * per row, in the current context.
 */
extern bool *batch_rows_that_match(const BatchSource *source,
								   const Batch *batch, Datum *rows, int count);

#endif /* ORDCANCEL_BATCH_CONDITION_H */
