/*
 * refusal_refund.h — the part of refusal_message.c that is about money
 */
#ifndef ORDCANCEL_REFUSAL_REFUND_H
#define ORDCANCEL_REFUSAL_REFUND_H

#include "decision/refusal.h"

/* CONDITION_INVALID_REFUND */
extern void refusal_explain_refund(Refusal *r, const RefusalDetail *names,
								   Fault fault);

/* CONDITION_REFUND_NOT_SETTLED */
extern void refusal_explain_unsettled(Refusal *r, const RefusalDetail *names,
									  const DecisionInput *input, Fault fault);

#endif /* ORDCANCEL_REFUSAL_REFUND_H */
