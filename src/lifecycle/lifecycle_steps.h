/*
 * lifecycle_steps.h — steps shared by the files lifecycle*.c
 */
#ifndef ORDCANCEL_LIFECYCLE_STEPS_H
#define ORDCANCEL_LIFECYCLE_STEPS_H

#include "rows/cancel_target.h"

/*
 * Decides on a target whose input is complete.  Sets next_status, or, if there
 * is nothing to write, result and outcome.
 */
extern void lifecycle_decide(CancelTarget *c, const CancelArgs *args);

/*
 * Does the same for all open targets, and completes their input before that,
 * with the items and the owner's expressions if the decision depends on them.
 * preview: items are not locked.
 */
extern void lifecycle_decide_all(CancelTarget *targets, int count,
								 CancelArgs *args, bool preview);

/*
 * Writes what was decided on open targets: cancellations and events first,
 * then items, then orders.
 */
extern void lifecycle_carry_out(CancelTarget *targets, int count,
								CancelArgs *args);

/*
 * A refund of an undone cancellation has been taken back.  If it had counted as
 * kept when a later one was accepted, more is due of that now: it is adjusted.
 */
extern void lifecycle_kept_failed(CancelTarget *c, const CancelArgs *args);

#endif /* ORDCANCEL_LIFECYCLE_STEPS_H */
