/*
 * journal.h — what a decision leaves behind: cancellation, event, notification
 */
#ifndef ORDCANCEL_JOURNAL_H
#define ORDCANCEL_JOURNAL_H

#include "rows/cancel_target.h"

/* Counts what is written, so that a verb notices when user code wrote more. */
extern uint64 journal_count;

/* Writes down the verdicts on the orders that are on their way. */
extern void journal_write(OrderCase *cases, int count, const Call *call);

#endif /* ORDCANCEL_JOURNAL_H */
