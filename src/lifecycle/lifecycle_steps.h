/*
 * lifecycle_steps.h — what the files of the lifecycle share
 */
#ifndef ORDCANCEL_LIFECYCLE_STEPS_H
#define ORDCANCEL_LIFECYCLE_STEPS_H

#include "rows/cancel_target.h"

/* Decides on a target whose input is complete; sets its result if it ends here. */
extern void lifecycle_judge(CancelTarget *c, const CancelArgs *args);

/* The same for all open targets, with the owner's expressions where needed. */
extern void lifecycle_judge_all(CancelTarget *targets, int count,
								CancelArgs *args);

/* Writes what was decided: cancellations, events, then orders. */
extern void lifecycle_carry_out(CancelTarget *targets, int count,
								CancelArgs *args);

#endif /* ORDCANCEL_LIFECYCLE_STEPS_H */
