/*
 * bulk.h — processes many orders, and goes on after errors
 *
 * A function runs on an array of targets with one order table.  An error in
 * one order, such as one that a trigger raises, does not undo the others: the
 * order's target becomes TARGET_REFUSED, with the error as its refusal.
 */
#ifndef ORDCANCEL_BULK_H
#define ORDCANCEL_BULK_H

#include "rows/cancel_target.h"

/*
 * Runs lifecycle_run on the orders that the current role can see, and sets the
 * result and outcome of each target.  Uses as few subtransactions as possible,
 * see process_all in bulk.c.  Raises errors that no single order has caused.
 *
 * With fire_deferred, deferred triggers fire before the end of a
 * subtransaction, so that their errors belong to an order and not to the
 * commit.
 *
 * Called as the current role, not as the owner of the order table.
 */
extern void bulk_run(CancelTarget *targets, int count, const CancelArgs *args,
					 bool fire_deferred);

/* Sets the results that bulk_run would, without locking or writing. */
extern void bulk_preview(CancelTarget *targets, int count,
						 const CancelArgs *args);

/*
 * Makes a target TARGET_REFUSED if its order was not found, or if a trigger
 * has ended the cancellation.
 */
extern void bulk_set_refusal(CancelTarget *c);

/*
 * The text for the column "outcome": "refused", "already" or the new state.
 */
extern const char *bulk_outcome(const CancelTarget *c);

#endif /* ORDCANCEL_BULK_H */
