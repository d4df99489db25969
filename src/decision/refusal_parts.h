/*
 * refusal_parts.h — the parts of refusal_message.c that have files of their own
 */
#ifndef ORDCANCEL_REFUSAL_PARTS_H
#define ORDCANCEL_REFUSAL_PARTS_H

#include "decision/refusal.h"

/*
 * refusal_rule.c: CONDITION_CANCELLATION_FORBIDDEN.  With FAULT_NONE, only the
 * message.
 */
extern void refusal_explain_forbidden(Refusal *r, const RefusalDetail *names,
									  const DecisionInput *input, Fault fault);

/* refusal_rule.c: CONDITION_INVALID_REASON */
extern void refusal_explain_reason(Refusal *r, const RefusalDetail *names,
								   const DecisionInput *input, Fault fault);

/* refusal_refund.c: CONDITION_INVALID_REFUND */
extern void refusal_explain_refund(Refusal *r, const RefusalDetail *names,
								   Fault fault);

/* refusal_refund.c: CONDITION_REFUND_NOT_SETTLED */
extern void refusal_explain_unsettled(Refusal *r, const RefusalDetail *names,
									  const DecisionInput *input, Fault fault);

#endif /* ORDCANCEL_REFUSAL_PARTS_H */
