/*
 * decision_rules.h — shared by decision.c and the other decision_*.c
 */
#ifndef ORDCANCEL_DECISION_RULES_H
#define ORDCANCEL_DECISION_RULES_H

#include "decision/decision.h"

static inline Decision
refused(Condition condition, Fault fault)
{
	return (Decision){.condition = condition, .fault = fault};
}

/* Nothing to do: the cancellation is in this state already. */
static inline Decision
already(State state)
{
	return (Decision){.state = state};
}

/* Was a status that the policy uses renamed?  Then it cannot be applied. */
static inline bool
is_stale(const DecisionInput *input)
{
	return input->policy->stale_status != NULL;
}

/* If a rule names a missing status, it may be the old name of this one. */
static inline Decision
refused_without_rule(const DecisionInput *input)
{
	return input->policy->stale_rule ?
		refused(CONDITION_INVALID_POLICY, FAULT_STALE_RULE) :
		refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_NO_RULE);
}

/* Is the order canceled without a cancellation, as imported orders are? */
static inline bool
imported_canceled(const DecisionInput *input)
{
	return input->live == STATE_NONE && input->kind == STATUS_CANCELED;
}

/*
 * Is the order in an ordinary status although a cancellation is in effect?
 * Its status was changed while the triggers were disabled.  Functions refuse
 * the order until undo_cancel has ended the cancellation.
 */
static inline bool
disagrees(const DecisionInput *input)
{
	return (input->live == STATE_CANCELED ||
			input->live == STATE_IN_PROGRESS) &&
		!input->part && input->moved_on && input->kind == STATUS_ORDINARY;
}

/* The status of a canceled order; customer_alone: no merchant took part. */
static inline const char *
canceled_status(const Policy *policy, bool customer_alone)
{
	return customer_alone && policy->customer_canceled_status ?
		policy->customer_canceled_status :
		policy->canceled_status;
}

/* Has the customer canceled the order without a merchant? */
static inline bool
customer_alone(const DecisionInput *input)
{
	return input->direct && input->requested_by == PARTY_CUSTOMER;
}

/* Ending the open request: does this party deny it, rather than withdraw? */
static inline bool
denies(const DecisionInput *input)
{
	return input->live == STATE_REQUESTED &&
		input->requested_by != input->party;
}

/* decision_refund.c */
extern Decision decide_refund(const DecisionInput *input);
extern Decision decide_adjust(const DecisionInput *input);

/*
 * decision.c: the order, or a part of it, becomes canceled, or in progress
 * while a refund is due.
 */
extern Decision reach_canceled(const DecisionInput *input, bool by_customer,
							   bool part);

/* decision_write.c: the verbs of plain writes */
extern Decision decide_move(const DecisionInput *input);
extern Decision decide_insert(const DecisionInput *input);
extern Decision decide_delete(const DecisionInput *input);

/* decision.c; decide_insert() calls it too. */
extern Decision decide_undo(const DecisionInput *input);

#endif /* ORDCANCEL_DECISION_RULES_H */
