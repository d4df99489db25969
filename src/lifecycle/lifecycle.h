/*
 * lifecycle.h — the one way an order takes through a cancellation
 *
 * Lock the orders, re-read them, find their cancellations, decide, write:
 * records, events, orders, in that order, so that a trigger of the user on an
 * order finds the record there.  Every entry point comes through here: the
 * verbs and the batch with a call, the guard with the change that it was shown.
 *
 * The caller is connected to SPI and acts as the table's owner (as_owner.h).
 */
#ifndef ORDCANCEL_LIFECYCLE_H
#define ORDCANCEL_LIFECYCLE_H

#include "decision/refusal.h"
#include "rows/cancel_target.h"

/*
 * Does a verb to the orders that the cases' keys name, all of one table and
 * none of them twice.  What became of each stands in its result and outcome;
 * a refusal is not raised.  An error is that of any of them.
 */
extern void lifecycle_run(CancelTarget *targets, int count, CancelArgs *args);

/* What lifecycle_run would do, without locks or changes. */
extern void lifecycle_preview(CancelTarget *targets, int count,
							  CancelArgs *args);

/*
 * Decides a request of the order that c->key names when its deadline is over,
 * as its policy says.  Does nothing to an order that somebody else has locked,
 * or whose request has been decided meanwhile.  The request of an order that is
 * gone is denied.
 */
extern void lifecycle_overdue(CancelTarget *c);

/* What state an order's cancellation is in: its live one's, or canceled. */
extern State lifecycle_state(CancelTarget *c);

/* Asks what a verb would be answered, and changes nothing; c is filled. */
extern Decision lifecycle_ask(CancelTarget *c, Verb verb, Party party,
							  TimestampTz now);

/* The same again, the customer having paid again what was refunded. */
extern Decision lifecycle_ask_settled(CancelTarget *c);

/* Why lifecycle_ask was answered so. */
extern Refusal lifecycle_explain(const CancelTarget *c);

/*
 * Judges and records a plain change of the order c, which is filled from its
 * old row, to a status.  "kind" is what that means for the order.
 * Returns false and fills the refusal when it must not be.
 */
extern bool lifecycle_change(CancelTarget *c, CancelArgs *args, const char *to,
							 StatusKind kind, Refusal *refusal);

/*
 * Judges a new or a leaving order.  Where it has no record to look for, SPI
 * and the owner's rights are not needed.
 */
extern bool lifecycle_row_has_record(OrderTable *table, Verb verb);
extern bool lifecycle_row(CancelTarget *c, CancelArgs *args, Refusal *refusal);

#endif /* ORDCANCEL_LIFECYCLE_H */
