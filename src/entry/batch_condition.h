/*
 * batch_condition.h — asking the condition of a batch, as its author
 */
#ifndef ORDCANCEL_BATCH_CONDITION_H
#define ORDCANCEL_BATCH_CONDITION_H

#include "config/run_as.h"
#include "entry/cancel_batch.h"

/*
 * As the author, with the settings that the condition was written with;
 * run_as_end ends it.
 */
extern void batch_run_as_author(RunAsScope *scope, const Batch *batch);

/*
 * Are the rows read as the table's owner, and the condition evaluated over the
 * rows alone?  See the function.
 */
extern bool batch_reads_as_owner(const OrderTable *table, const Batch *batch);

/*
 * The query that chooses the orders: key columns, ctid, xmin, and with
 * "whole" the row, in the order of the keys.
 */
extern char *batch_choose_text(const OrderTable *table, const Batch *batch,
							   bool whole);

/* Which of these rows meet the condition? */
extern bool *batch_rows_that_match(const OrderTable *table, const Batch *batch,
								   Datum *rows, int count);

#endif /* ORDCANCEL_BATCH_CONDITION_H */
