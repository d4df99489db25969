/*
 * guard_child.h — refuses rows for orders that are being canceled
 */
#ifndef ORDCANCEL_GUARD_CHILD_H
#define ORDCANCEL_GUARD_CHILD_H

#include "commands/trigger.h"

#include "config/child_table.h"
#include "rows/cancel_target.h"

/*
 * Raises 23514: the order's cancellation is in this state.  "guard" is NULL for
 * a row of a table of items.
 */
extern void guard_child_refuse(TriggerData *trigger, const CancelTarget *c,
							   State state, const ChildGuard *guard);

#endif /* ORDCANCEL_GUARD_CHILD_H */
