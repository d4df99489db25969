/*
 * transition.h — what a decision leaves behind: cancellation, event, notification
 */
#ifndef ORDCANCEL_TRANSITION_H
#define ORDCANCEL_TRANSITION_H

#include "rows/cancel_target.h"

/* Counts what is written, so that a verb notices when user code wrote more. */
extern uint64 transition_count;

/* Writes down the verdicts on the orders that are on their way. */
extern void transition_write(CancelTarget *targets, int count,
							 const CancelArgs *args);

#endif /* ORDCANCEL_TRANSITION_H */
