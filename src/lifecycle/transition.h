/*
 * transition.h — writes cancellations and events, and announces them
 */
#ifndef ORDCANCEL_TRANSITION_H
#define ORDCANCEL_TRANSITION_H

#include "rows/cancel_target.h"

/*
 * The number of cancellations this session has changed.  If it rises while
 * orders are updated, a trigger has changed one.
 */
extern uint64 transition_count;

/*
 * Applies the decisions on open targets to their cancellations, and writes the
 * events.  Does not write the orders.
 */
extern void transition_write(CancelTarget *targets, int count,
							 const CancelArgs *args);

/*
 * Once the orders are written: if BEFORE triggers have changed values of
 * also_set(), the cancellations say what was written, for undo_cancel.
 * changed: other triggers may have changed them in the meantime.
 */
extern void transition_correct(CancelTarget *targets, int count, bool changed);

#endif /* ORDCANCEL_TRANSITION_H */
