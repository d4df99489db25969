/*
 * question.h — what is known of an order, put to the decision
 *
 * Fills c->question from the order, its facts and its cancellation, and from
 * what the caller said; and puts a refusing verdict into words.
 */
#ifndef ORDCANCEL_QUESTION_H
#define ORDCANCEL_QUESTION_H

#include "decision/refusal.h"
#include "rows/cancel_target.h"

/* What a verb would be answered, whatever its words; without facts. */
extern void question_ask(OrderCase *c, Verb verb, Party party,
						 TimestampTz now);

/* The same with what the caller said; settles for which party it acts. */
extern void question_ask_call(OrderCase *c, Call *call);

/* Adds what order_facts has found out. */
extern void question_put_facts(OrderCase *c);

/* Why c->verdict refuses; "to" is the status that a plain write wanted. */
extern Refusal question_explain(const OrderCase *c, const Call *call,
								const char *to);

extern Numeric numeric_plus(Numeric a, Numeric b);

/* A number as text; "0" for none. */
extern char *numeric_text(Numeric number);

/*
 * Can reason and note be those of any order at all?  A refusal that would be
 * every order's is made once, before the first.  A note of blanks is none.
 */
extern bool question_words_fit(Call *call, Refusal *refusal);

#endif /* ORDCANCEL_QUESTION_H */
