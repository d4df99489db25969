/*
 * decision_money.h — what a decision has to know about money
 *
 * Part of filling CancelTarget.input; called by decision_input.c.
 */
#ifndef ORDCANCEL_DECISION_MONEY_H
#define ORDCANCEL_DECISION_MONEY_H

#include "rows/cancel_target.h"

/* Is less refunded of an accepted cancellation than is due? */
extern bool decision_money_is_due(const Cancellation *r);

/*
 * For record_refund and adjust_refund: sets input->amount, and rounds
 * args->amount.  A refund that is repeated or taken back may be recorded for
 * another cancellation of the order; then this one becomes c->record.
 */
extern void decision_money_check_amount(CancelTarget *c, CancelArgs *args);

/*
 * For a call that may accept a cancellation: sets c->owed to what is due, less
 * the refunds of earlier cancellations that the customer still has, and
 * input->refund and money_due.  Follows order_expr_evaluate.
 */
extern void decision_money_set_due(CancelTarget *c);

#endif /* ORDCANCEL_DECISION_MONEY_H */
