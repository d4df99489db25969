/*
 * decision_input.h — collects what a decision depends on, and explains it
 *
 * These functions fill CancelTarget.input.  A DecisionInput has all that the
 * decision may use, so what it needs from tables is read here.  The caller is
 * connected to SPI and runs as the owner of the order table.
 */
#ifndef ORDCANCEL_DECISION_INPUT_H
#define ORDCANCEL_DECISION_INPUT_H

#include "decision/refusal.h"
#include "rows/cancel_target.h"

/*
 * Fills c->input from the order and its cancellation, which have been read.
 * Arguments such as reason and note are left empty.
 */
extern void decision_input_from_target(CancelTarget *c, Verb verb, Party party,
									   TimestampTz now);

/*
 * The same with the arguments of a call.  With args->either_party, sets
 * args->party to the party that made the request; sets args->note to NULL if
 * it is blank, and rounds args->amount.
 */
extern void decision_input_from_args(CancelTarget *c, CancelArgs *args);

/* Adds what lifecycle_items.h has found out. */
extern void decision_input_add_items(CancelTarget *c);

/* Adds the results of order_expr_evaluate, and what is due. */
extern void decision_input_add_expr(CancelTarget *c);

/*
 * Explains a refusal by c->decision.  "to" is the new status of a plain write,
 * or NULL.
 */
extern Refusal decision_input_explain(const CancelTarget *c,
									  const CancelArgs *args, const char *to);

/*
 * Checks reason and note before any order is read, so that a refusal that
 * would be the same for all orders is made once.  Returns false and sets
 * *refusal if no order would accept them.  Sets args->note to NULL if it is
 * blank.
 */
extern bool decision_input_check_reason(CancelArgs *args, Refusal *refusal);

#endif /* ORDCANCEL_DECISION_INPUT_H */
