/*
 * decision_input.h — what is known of an order, put to the decision
 *
 * Fills c->question from the order, its facts and its cancellation, and from
 * what the caller said; and puts a refusing verdict into words.
 */
#ifndef ORDCANCEL_DECISION_INPUT_H
#define ORDCANCEL_DECISION_INPUT_H

#include "decision/refusal.h"
#include "rows/cancel_target.h"

/* What a verb would be answered, whatever its words; without facts. */
extern void decision_input_from_target(CancelTarget *c, Verb verb, Party party,
									   TimestampTz now);

/* The same with what the caller said; settles for which party it acts. */
extern void decision_input_from_args(CancelTarget *c, CancelArgs *args);

/* Adds what order_expr_evaluate has found out. */
extern void decision_input_add_expr(CancelTarget *c);

/* Why c->verdict refuses; "to" is the status that a plain write wanted. */
extern Refusal decision_input_explain(const CancelTarget *c,
									  const CancelArgs *args, const char *to);

/*
 * Can reason and note be those of any order at all?  A refusal that would be
 * every order's is made once, before the first.  A note of blanks is none.
 */
extern bool decision_input_check_reason(CancelArgs *args, Refusal *refusal);

#endif /* ORDCANCEL_DECISION_INPUT_H */
