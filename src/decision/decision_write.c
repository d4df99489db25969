/*
 * decision_write.c — may a plain INSERT, UPDATE or DELETE do this to an order?
 *
 * A change into a cancellation, or out of one, is decided as the function that
 * would make it (decision.c).
 */
#include "postgres.h"

#include "base/text.h"
#include "decision/decision_rules.h"

/* The order goes on to an ordinary status. */
Decision
decide_move(const DecisionInput *q)
{
	if (q->live == STATE_CANCELED || q->live == STATE_IN_PROGRESS ||
		imported_canceled(q))
		return refused(CONDITION_ORDER_IS_CANCELED,
					   disagrees(q) ? FAULT_DISAGREES : FAULT_NONE);
	if (q->live == STATE_REQUESTED && q->policy->hold)
		return refused(CONDITION_ORDER_ON_HOLD, FAULT_NONE);
	if (q->live == STATE_REQUESTED)
		return (Decision){.changed = true,
						  .state = STATE_DENIED,
						  .event = EVENT_DENIED};
	return already(STATE_NONE);
}

/* Once it is there in a canceled status, can its cancellation be undone? */
static bool
could_be_undone(const DecisionInput *q)
{
	DecisionInput undo = *q;

	undo.verb = VERB_UNDO_CANCEL;
	undo.party = PARTY_MERCHANT;
	undo.moved_on = false;
	undo.reason_unknown = undo.settled = true;
	return q->live == STATE_CANCELED && q->policy->canceled_status &&
		decide_undo(&undo).condition == CONDITION_NONE;
}

/* Old canceled orders may come in; a request needs somebody who asked. */
Decision
decide_insert(const DecisionInput *q)
{
	if (q->kind == STATUS_REQUESTED || q->kind == STATUS_IN_PROGRESS)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_NO_RECORD);
	if (q->live != STATE_NONE && q->kind != STATUS_CANCELED)
		return refused(CONDITION_ORDER_IS_CANCELED,
					   could_be_undone(q) ? FAULT_COMES_AGAIN :
											FAULT_CAME_TO_STAY);
	return already(STATE_NONE);
}

Decision
decide_delete(const DecisionInput *q)
{
	const Rule *rule = policy_rule(q->policy, q->status);

	if (q->live == STATE_REQUESTED || q->live == STATE_IN_PROGRESS)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OPEN);
	if (rule == NULL)
		return refused_without_rule(q);
	if (!rule->deletable)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_RULE);
	return already(STATE_NONE);
}

Decision
decide_change(DecisionInput *q, const char *to, StatusKind kind)
{
	bool closed = q->live == STATE_CANCELED || q->live == STATE_IN_PROGRESS ||
		imported_canceled(q);
	Decision v;

	if (is_stale(q))
		return refused(CONDITION_INVALID_POLICY, FAULT_STALE_STATUS);

	/* Out of a cancellation only undo_cancel leads. */
	if (closed)
	{
		if (q->live == STATE_IN_PROGRESS && kind == STATUS_CANCELED)
			return refused(CONDITION_REFUND_NOT_SETTLED, FAULT_MONEY_DUE);
		q->verb = VERB_MOVE;
		return decide(q);
	}

	if (kind == STATUS_ORDINARY)
	{
		q->verb = VERB_MOVE;

		/*
		 * Nobody can tell whether it is meant to end the request, or saves a
		 * whole row that was read before.
		 */
		if (q->live == STATE_REQUESTED &&
			equal_and_not_null(q->prior_status, to))
			return refused(CONDITION_ORDER_ON_HOLD, FAULT_PRIOR_STATUS);
		return decide(q);
	}

	/* The word is another policy's, and this one lets nobody in. */
	if (q->policy->canceled_status == NULL &&
		status_kind(q->policy, to) == STATUS_ORDINARY)
		return refused(CONDITION_INVALID_POLICY, FAULT_NO_CANCELED_STATUS);

	/* Into a cancellation: exactly what the function would have written. */
	q->verb = q->party == PARTY_CUSTOMER ? VERB_REQUEST_CANCEL :
										   VERB_CANCEL_ORDER;
	v = decide(q);
	if (v.condition != CONDITION_NONE ||
		(v.changed && equal_and_not_null(v.status, to)))
		return v;
	if (!v.changed)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_ALREADY_ASKED);
	if (v.state == STATE_IN_PROGRESS && kind == STATUS_CANCELED)
		return refused(CONDITION_REFUND_NOT_SETTLED, FAULT_MONEY_DUE);
	if (v.state == STATE_REQUESTED)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_MUST_ASK);
	if (kind == STATUS_REQUESTED)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_NOT_ASKED);
	return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OTHER_STATUS);
}
