/*
 * decision_rules.h — what the files of the decision share
 */
#ifndef ORDCANCEL_DECISION_RULES_H
#define ORDCANCEL_DECISION_RULES_H

#include "decision/decision.h"

static inline Decision
refused(Condition condition, Fault fault)
{
	return (Decision){.condition = condition, .fault = fault};
}

static inline Decision
already(State state)
{
	return (Decision){.state = state};
}

/* Nothing can be judged by words that no order has any more. */
static inline bool
is_stale(const DecisionInput *q)
{
	return q->policy->stale_status != NULL;
}

/* Perhaps the rule was for this status, under its old name. */
static inline Decision
refused_without_rule(const DecisionInput *q)
{
	return q->policy->stale_rule ?
		refused(CONDITION_INVALID_POLICY, FAULT_STALE_RULE) :
		refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_NO_RULE);
}

/* An order that came canceled, without a cancellation of ours. */
static inline bool
imported_canceled(const DecisionInput *q)
{
	return q->live == STATE_NONE && q->kind == STATUS_CANCELED;
}

/*
 * Does the record say canceled of an order that is under way?  Somebody went
 * round the guard.  Neither is true until the cancellation is undone.
 */
static inline bool
disagrees(const DecisionInput *q)
{
	return (q->live == STATE_CANCELED || q->live == STATE_IN_PROGRESS) &&
		q->moved_on && q->kind == STATUS_ORDINARY;
}

/* Is what ends an open request a denial, and no withdrawal? */
static inline bool
denies(const DecisionInput *q)
{
	return q->live == STATE_REQUESTED && q->asked_by != q->party;
}

/* decision_write.c: a plain write's own verbs. */
extern Decision decide_move(const DecisionInput *q);
extern Decision decide_insert(const DecisionInput *q);
extern Decision decide_delete(const DecisionInput *q);

/* decision.c: for decide_insert, which asks whether an undo would work. */
extern Decision decide_undo(const DecisionInput *q);

#endif /* ORDCANCEL_DECISION_RULES_H */
