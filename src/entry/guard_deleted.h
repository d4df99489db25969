/*
 * guard_deleted.h — plain writes of orders that are deleted by deleted_when
 *
 * For the triggers on the order table.
 */
#ifndef ORDCANCEL_GUARD_DELETED_H
#define ORDCANCEL_GUARD_DELETED_H

#include "decision/refusal.h"
#include "rows/cancel_target.h"

/* Sets "deleted" of the old and the new row, as the owner of the table. */
extern void guard_find_deleted(CancelTarget *before, CancelTarget *after);

/*
 * deleted_when has become true: checks the old row as if it were deleted.
 * status_changed: lifecycle_change has allowed the new status.
 */
extern bool guard_soft_delete(CancelTarget *before, bool status_changed,
							  Refusal *refusal);

/* It is no longer true: checks the new row as if it were inserted. */
extern bool guard_restored(CancelTarget *after, Refusal *refusal);

/*
 * Of an INSERT or DELETE that is refused: is the order deleted anyway?  It may
 * be imported in any status, and purged whatever the rules say, but not while
 * a cancellation of it is open.
 */
extern bool guard_deleted_already(CancelTarget *c);

/* Is the order of this row deleted? */
extern bool guard_deleted_now(CancelTarget *c);

#endif /* ORDCANCEL_GUARD_DELETED_H */
