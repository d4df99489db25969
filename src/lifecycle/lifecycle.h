/*
 * lifecycle.h — the steps of every change to a cancellation
 *
 * All functions, batches, sweeps and plain writes take the same steps: lock
 * the orders, read them and their cancellations, decide, write.  Cancellations
 * and events are written before the orders, so that a trigger on the order
 * table finds them.
 *
 * The caller is connected to SPI and runs as the owner of the order table
 * (config/run_as.h).
 */
#ifndef ORDCANCEL_LIFECYCLE_H
#define ORDCANCEL_LIFECYCLE_H

#include "decision/refusal.h"
#include "rows/cancel_target.h"

/*
 * Runs a function, args->verb, on the orders with the targets' keys, which
 * must be different.  Sets the result and outcome of each target; refusals are
 * not raised.  An error while any of the orders is processed is raised.
 */
extern void lifecycle_run(CancelTarget *targets, int count, CancelArgs *args);

/* Sets the results that lifecycle_run would, without locking or writing. */
extern void lifecycle_preview(CancelTarget *targets, int count,
							  CancelArgs *args);

/*
 * Accepts or denies, as the policy says, the request of the order with the key
 * c->key if its deadline has passed.  Does nothing if another transaction has
 * locked the order, or the request has been decided in the meantime.  If the
 * order no longer exists, its request is denied.
 */
extern void lifecycle_overdue(CancelTarget *c);

/*
 * Locks the order with the key c->key, erases what persons wrote and are named
 * by from its records, and with "roles" also the names of their login roles, and
 * records that.  With "deleted", also those of an order that no longer exists.
 */
extern void lifecycle_forget(CancelTarget *c, CancelArgs *args, bool deleted,
							 bool roles);

/*
 * Makes open targets that VERB_EXPIRE would leave as they are TARGET_DONE.  The
 * orders have been read; their cancellations are looked up without locks.
 */
extern void lifecycle_drop_unexpired(CancelTarget *targets, int count,
									 TimestampTz now);

/*
 * Returns the state of the order's live cancellation.  Without one, returns
 * STATE_CANCELED if the order's status means so, else STATE_NONE.
 */
extern State lifecycle_state(CancelTarget *c);

/*
 * Returns the decision that a function would get, without changing anything.
 * Reason, note and amount are taken to be valid.  The order and its
 * cancellation have been read (order_read, record_peek).
 */
extern Decision lifecycle_check(CancelTarget *c, Verb verb, Party party,
								TimestampTz now);

/* The same as the latest lifecycle_check, but with settled => true. */
extern Decision lifecycle_check_settled(CancelTarget *c);

/* Explains why the latest lifecycle_check has refused. */
extern Refusal lifecycle_explain(const CancelTarget *c);

/*
 * Decides on a plain change of the order's status to "to", and records it.
 * The target was filled from the old row; "kind" is what the new status means
 * for the order.  If the change is not allowed, returns false and sets
 * *refusal.
 */
extern bool lifecycle_change(CancelTarget *c, CancelArgs *args, const char *to,
							 StatusKind kind, Refusal *refusal);

/*
 * Decides on a plain INSERT or DELETE of an order (VERB_INSERT, VERB_DELETE).
 * If it is not allowed, returns false and sets *refusal.  SPI and the rights
 * of the owner are needed only if lifecycle_row_needs_record.
 */
extern bool lifecycle_row(CancelTarget *c, CancelArgs *args, Refusal *refusal);
extern bool lifecycle_row_needs_record(OrderTable *table, Verb verb);

/*
 * Decide on a plain UPDATE by which deleted_when becomes true (args->verb is
 * VERB_DELETE, the target the old row), or stops being true (VERB_INSERT, the
 * new row): as on a DELETE or INSERT of the order.  "changed": lifecycle_change
 * has already found, and perhaps changed, the cancellation.
 */
extern bool lifecycle_soft_delete(CancelTarget *c, CancelArgs *args,
								  bool changed, Refusal *refusal);
extern bool lifecycle_restore(CancelTarget *c, CancelArgs *args,
							  Refusal *refusal);

#endif /* ORDCANCEL_LIFECYCLE_H */
