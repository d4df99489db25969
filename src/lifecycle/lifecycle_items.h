/*
 * lifecycle_items.h — the items of orders on their way through a call
 *
 * For order tables with attached items.  Without any, these functions do
 * nothing.
 */
#ifndef ORDCANCEL_LIFECYCLE_ITEMS_H
#define ORDCANCEL_LIFECYCLE_ITEMS_H

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"

/*
 * Finds the cancellations of items of each open target.  For a function that
 * may mean one of several cancellations, sets c->record to the one that is
 * meant, or c->ambiguous.  Follows record_find or record_peek.
 */
extern void lifecycle_choose(CancelTarget *targets, int count,
							 const CancelArgs *args, ReadSnapshot snapshot);

/*
 * Reads the items of open targets whose decision may depend on them, locks
 * those that the call changes unless "preview", and sets what the decision
 * needs to know.  The input is complete except for items and expressions.
 */
extern void lifecycle_items(CancelTarget *targets, int count,
							const CancelArgs *args, bool preview);

/* The same for a plain change of the status of an order. */
extern void lifecycle_items_change(CancelTarget *c, const CancelArgs *args,
								   const char *to, StatusKind kind);

/* The same for lifecycle_check, which does not know the items meant. */
extern void lifecycle_items_check(CancelTarget *c, const CancelArgs *args);

/*
 * After a refund or the undo of a part: completes the cancellation of the
 * order itself, if that has only waited for its parts.  If a refund of the
 * part is due again, the order is in progress again, too.
 */
extern void lifecycle_follow_part(CancelTarget *c, const CancelArgs *args);

/* The items of undone cancellations of the order, RecordItems sorted by key. */
extern List *lifecycle_undone_items(const CancelTarget *c);

/*
 * Of one of these items, what was due less what its amount rose by when it was
 * undone.
 */
extern Numeric lifecycle_undone_rest(const List *undone, const char *item_key);

/*
 * Reads all items of the order, and what is fulfilled of each, without locks.
 * For reports; nothing is decided.
 */
extern void lifecycle_items_peek(CancelTarget *c, ReadSnapshot snapshot);

#endif /* ORDCANCEL_LIFECYCLE_ITEMS_H */
