/*
 * decision_write.c — decides plain INSERTs, UPDATEs and DELETEs of orders
 *
 * decide_change() finds the verb that a change of the status corresponds to,
 * and decides that verb with decide() in decision.c.
 */
#include "postgres.h"

#include "base/text.h"
#include "decision/decision_rules.h"

/* The status changes to one that means no cancellation. */
Decision
decide_move(const DecisionInput *input)
{
	if (input->live == STATE_CANCELED || input->live == STATE_IN_PROGRESS ||
		imported_canceled(input))
		return refused(CONDITION_ORDER_IS_CANCELED,
					   disagrees(input) ? FAULT_DISAGREES : FAULT_NONE);
	if (input->live == STATE_REQUESTED && input->policy->hold)
		return refused(CONDITION_ORDER_ON_HOLD, FAULT_NONE);
	if (input->live == STATE_REQUESTED)
		return (Decision){.changed = true,
						  .state = STATE_DENIED,
						  .event = EVENT_DENIED};
	return already(STATE_NONE);
}

/* If the order is inserted as canceled instead, could undo_cancel follow? */
static bool
could_be_undone(const DecisionInput *input)
{
	DecisionInput undo = *input;

	undo.verb = VERB_UNDO_CANCEL;
	undo.party = PARTY_MERCHANT;
	undo.moved_on = false;
	undo.skip_reason_check = undo.settled = true;
	return input->live == STATE_CANCELED && input->policy->canceled_status &&
		decide_undo(&undo).condition == CONDITION_NONE;
}

/*
 * Canceled orders may be imported.  A status for open cancellations is refused,
 * because there would be no cancellation that could be decided or completed.
 */
Decision
decide_insert(const DecisionInput *input)
{
	if (input->kind == STATUS_REQUESTED || input->kind == STATUS_IN_PROGRESS)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_NO_RECORD);
	if (input->live == STATE_CANCELED &&
		status_is_closed(input->policy, input->status))
		return (Decision){.state = STATE_CANCELED, .follows = true};
	if (input->live != STATE_NONE && input->kind != STATUS_CANCELED)
		return refused(CONDITION_ORDER_IS_CANCELED,
					   could_be_undone(input) ? FAULT_REINSERTED :
												FAULT_REINSERTED_NO_UNDO);
	return already(STATE_NONE);
}

Decision
decide_delete(const DecisionInput *input)
{
	const Rule *rule = policy_rule(input->policy, input->status);

	if (input->live == STATE_REQUESTED || input->live == STATE_IN_PROGRESS ||
		input->part_open || input->money_open)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OPEN);
	if (rule == NULL)
		return refused_without_rule(input);
	if (!rule->deletable)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_RULE);
	return already(STATE_NONE);
}

/* Is a cancellation of the order in effect, or was it imported as canceled? */
static bool
in_effect(const DecisionInput *input)
{
	return input->live == STATE_CANCELED || input->live == STATE_IN_PROGRESS ||
		imported_canceled(input);
}

/*
 * Does a canceled order move on to a closed status, or from there back to the
 * status that its cancellation gave it?  It remains canceled.
 */
static bool
remains_canceled(const DecisionInput *input, const char *to, StatusKind kind)
{
	const Policy *policy = input->policy;

	if (input->live == STATE_IN_PROGRESS || disagrees(input))
		return false;
	if (status_is_closed(policy, to))
		return kind == STATUS_ORDINARY || kind == STATUS_CANCELED;
	return status_is_closed(policy, input->status) &&
		equal_and_not_null(canceled_status(policy, customer_alone(input)), to);
}

bool
decision_reopens(const DecisionInput *input, const char *to, StatusKind kind)
{
	return in_effect(input) && !disagrees(input) &&
		input->party == PARTY_MERCHANT && kind == STATUS_ORDINARY &&
		status_reopens(input->policy, to);
}

/* As undo_cancel, but the order has the status that the UPDATE gives it. */
static Decision
reopen(DecisionInput *input, const char *to)
{
	Decision decision;

	if (imported_canceled(input)) /* there is nothing to undo */
	{
		input->verb = VERB_MOVE;
		return already(STATE_NONE);
	}
	input->verb = VERB_UNDO_CANCEL;
	decision = decide(input);
	decision.status = to;
	decision.clear_status = false;
	return decision;
}

static Decision
decide_change_of_status(DecisionInput *input, const char *to, StatusKind kind)
{
	Decision decision;

	if (is_stale(input))
		return refused(CONDITION_INVALID_POLICY, FAULT_STALE_STATUS);

	/* Only an undo ends a cancellation that is in effect. */
	if (in_effect(input))
	{
		if (remains_canceled(input, to, kind))
		{
			input->verb = VERB_MOVE;
			return (Decision){.state = STATE_CANCELED,
							  .follows = input->live == STATE_CANCELED};
		}
		if (decision_reopens(input, to, kind))
			return reopen(input, to);
		if (input->live == STATE_IN_PROGRESS && kind == STATUS_CANCELED)
			return refused(CONDITION_REFUND_NOT_SETTLED, FAULT_REFUND_DUE);
		input->verb = VERB_MOVE;
		return decide(input);
	}

	if (kind == STATUS_ORDINARY)
	{
		input->verb = VERB_MOVE;

		/*
		 * This may be meant to end the request, or be a program that saves a
		 * whole row as it was before the request.  We cannot tell, so refuse.
		 */
		if (input->live == STATE_REQUESTED &&
			equal_and_not_null(input->prior_status, to))
			return refused(CONDITION_ORDER_ON_HOLD, FAULT_PRIOR_STATUS);
		return decide(input);
	}

	/* "to" means a cancellation in another policy; this one has none. */
	if (input->policy->canceled_status == NULL &&
		status_kind(input->policy, to) == STATUS_ORDINARY)
		return refused(CONDITION_INVALID_POLICY, FAULT_NO_CANCELED_STATUS);

	/* Only the status that the function would write is allowed. */
	input->verb = input->party == PARTY_CUSTOMER ? VERB_REQUEST_CANCEL :
												   VERB_CANCEL_ORDER;
	decision = decide(input);
	if (decision.condition != CONDITION_NONE ||
		(decision.changed && equal_and_not_null(decision.status, to)))
		return decision;
	if (decision.part) /* only the rest, which is no status of the order */
		return refused(CONDITION_CANCELLATION_BLOCKED, FAULT_PARTLY_FULFILLED);
	if (!decision.changed)
		return refused(CONDITION_CANCELLATION_FORBIDDEN,
					   FAULT_ALREADY_REQUESTED);
	if (decision.state == STATE_IN_PROGRESS && kind == STATUS_CANCELED)
		return refused(CONDITION_REFUND_NOT_SETTLED, FAULT_REFUND_DUE);
	if (decision.state == STATE_REQUESTED)
		return refused(CONDITION_CANCELLATION_FORBIDDEN,
					   FAULT_REQUEST_REQUIRED);
	if (kind == STATUS_REQUESTED)
		return refused(CONDITION_CANCELLATION_FORBIDDEN,
					   FAULT_REQUEST_NOT_REQUIRED);
	return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OTHER_STATUS);
}

Decision
decide_change(DecisionInput *input, const char *to, StatusKind kind)
{
	Decision decision = decide_change_of_status(input, to, kind);

	/* Without plain_updates, a change that records nothing is allowed. */
	if (decision.condition == CONDITION_NONE && decision.changed &&
		!input->plain_updates)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_PLAIN_UPDATES);
	return decision;
}
