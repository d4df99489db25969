/*
 * decision.c — may this be done to this order, and what becomes of it?
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "decision/decision_rules.h"

static Decision decide_begin(const DecisionInput *q);
static Decision decide_withdraw(const DecisionInput *q);
static Decision decide_accept(const DecisionInput *q);
static Decision decide_deny(const DecisionInput *q);
static Decision decide_refund(const DecisionInput *q);

static Decision
decide_verb(const DecisionInput *q)
{
	switch (q->verb)
	{
		case VERB_REQUEST_CANCEL:
		case VERB_CANCEL_ORDER:
		case VERB_OVERRIDE_CANCEL:
			return decide_begin(q);
		case VERB_WITHDRAW_CANCEL:
			return decide_withdraw(q);
		case VERB_ACCEPT_CANCEL:
			return decide_accept(q);
		case VERB_DENY_CANCEL:
			return decide_deny(q);
		case VERB_RECORD_REFUND:
			return decide_refund(q);
		case VERB_UNDO_CANCEL:
			return decide_undo(q);
		case VERB_MOVE:
			return decide_move(q);
		case VERB_INSERT:
			return decide_insert(q);
		case VERB_DELETE:
			return decide_delete(q);
	}
	pg_unreachable();
}

Decision
decide(const DecisionInput *q)
{
	Decision v;

	if (is_stale(q))
		return refused(CONDITION_INVALID_POLICY, FAULT_STALE_STATUS);
	v = decide_verb(q);

	/* The system decides an open request when its deadline has come. */
	if (q->live == STATE_REQUESTED && q->deadline && v.changed &&
		(!v.has_until || v.until > *q->deadline))
	{
		v.has_until = true;
		v.until = *q->deadline;
	}
	return v;
}

/* The cancellation is agreed on: canceled, or in progress while money is due. */
static Decision
reach_canceled(const DecisionInput *q, bool customer_alone)
{
	Decision v = {.changed = true};

	if (q->money_due)
	{
		v.state = STATE_IN_PROGRESS;
		v.status = q->policy->in_progress_status;
		v.event = EVENT_ACCEPTED;
	}
	else
	{
		v.state = STATE_CANCELED;
		v.status = customer_alone && q->policy->customer_canceled_status ?
			q->policy->customer_canceled_status :
			q->policy->canceled_status;
		v.event = EVENT_CANCELED;
	}

	/* Without a final status there is nothing that the order could become. */
	if (q->policy->canceled_status == NULL)
		return refused(CONDITION_INVALID_POLICY, FAULT_NO_CANCELED_STATUS);
	return v;
}

/* What the window gives, or keeps back, ends with it. */
static void
until_window_ends(Decision *v, const DecisionInput *q, const Rule *rule,
				  RuleMode mode, bool late)
{
	if (late || q->party != PARTY_CUSTOMER || !q->policy->grace ||
		!q->placed_at || rule->customer_late == mode)
		return;
	v->until = span_end(*q->placed_at, q->policy->grace);
	v->has_until = !TIMESTAMP_NOT_FINITE(v->until);
}

/* request_cancel, cancel_order, override_cancel */
static Decision
decide_begin(const DecisionInput *q)
{
	const Rule *rule = policy_rule(q->policy, q->status);
	bool		override = q->verb == VERB_OVERRIDE_CANCEL;
	RuleMode	mode = MODE_FORBID;
	bool		late = false;
	Decision	v;

	if (disagrees(q))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	if (q->live == STATE_CANCELED || q->live == STATE_IN_PROGRESS)
		return already(q->live);
	if (imported_canceled(q))
		return already(STATE_CANCELED);
	if (q->live == STATE_REQUESTED && q->party == PARTY_CUSTOMER && !override)
		return already(STATE_REQUESTED);

	if (q->party == PARTY_CUSTOMER && q->policy->grace && q->placed_at)
		late = q->now > span_end(*q->placed_at, q->policy->grace);

	if (override)
		mode = MODE_CANCEL;
	else if (q->live == STATE_REQUESTED)
		mode = MODE_CANCEL; /* the merchant confirms what is asked */
	else if (rule != NULL)
		mode = q->party == PARTY_CUSTOMER ?
			(late ? rule->customer_late : rule->customer) :
			rule->merchant;

	if (mode == MODE_FORBID)
	{
		if (rule == NULL)
			return refused_without_rule(q);
		v = late && rule->customer != MODE_FORBID ?
			refused(CONDITION_GRACE_PERIOD_OVER, FAULT_RULE) :
			refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_RULE);
		if (!q->blocked)
			until_window_ends(&v, q, rule, mode, late);
		return v;
	}
	if (q->blocked && !override)
		return refused(CONDITION_CANCELLATION_BLOCKED, FAULT_NONE);
	v = decide_reason(q);
	if (v.condition != CONDITION_NONE)
		return v;

	if (mode == MODE_REQUEST)
		v = (Decision){.changed = true,
					   .state = STATE_REQUESTED,
					   .status = q->policy->requested_status,
					   .event = EVENT_REQUESTED};
	else
		v = reach_canceled(q, q->party == PARTY_CUSTOMER);
	v.accepts = q->live == STATE_REQUESTED;
	v.late = late;

	if (!override && q->live == STATE_NONE)
		until_window_ends(&v, q, rule, mode, late);
	return v;
}

/* A request ends without a cancellation: the order gets its status back. */
static Decision
end_request(const DecisionInput *q, State state, EventType event)
{
	Decision v = decide_reason(q);

	if (v.condition != CONDITION_NONE)
		return v;
	v.changed = true;
	v.state = state;
	v.event = event;
	if (!q->moved_on)
	{
		v.status = q->prior_status;
		v.clear_status = q->prior_status == NULL;
	}
	return v;
}

static Decision
decide_withdraw(const DecisionInput *q)
{
	if (q->live == STATE_NONE && q->last == STATE_WITHDRAWN)
		return already(STATE_WITHDRAWN);
	if (q->live != STATE_REQUESTED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (q->asked_by != q->party)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OTHERS_REQUEST);
	return end_request(q, STATE_WITHDRAWN, EVENT_WITHDRAWN);
}

static Decision
decide_accept(const DecisionInput *q)
{
	Decision v;

	if (disagrees(q))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	if (q->live == STATE_IN_PROGRESS || q->live == STATE_CANCELED)
		return already(q->live);
	if (q->live != STATE_REQUESTED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (q->blocked)
		return refused(CONDITION_CANCELLATION_BLOCKED, FAULT_NONE);
	v = decide_reason(q);
	if (v.condition != CONDITION_NONE)
		return v;
	v = reach_canceled(q, false);
	v.accepts = true;
	return v;
}

static Decision
decide_deny(const DecisionInput *q)
{
	if (q->live == STATE_NONE && q->last == STATE_DENIED)
		return already(STATE_DENIED);
	if (q->live != STATE_REQUESTED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (q->asked_by == q->party)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OWN_REQUEST);
	return end_request(q, STATE_DENIED, EVENT_DENIED);
}

static Decision
decide_refund(const DecisionInput *q)
{
	/* A reference is the order's, whatever has become of the cancellation. */
	if (q->amount == AMOUNT_REPEATED)
		return already(q->live != STATE_NONE ? q->live : q->last);
	if (q->amount == AMOUNT_OTHER_REFERENCE)
		return refused(CONDITION_INVALID_REFUND, FAULT_REFERENCE);
	if (q->live != STATE_IN_PROGRESS)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (disagrees(q))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	switch (q->amount)
	{
		case AMOUNT_PART:
			return (Decision){.changed = true,
							  .state = STATE_IN_PROGRESS,
							  .event = EVENT_REFUNDED};
		case AMOUNT_LAST:
		{
			DecisionInput paid = *q;

			paid.money_due = false;
			return reach_canceled(&paid,
								  q->direct && q->asked_by == PARTY_CUSTOMER);
		}
		case AMOUNT_NOT_POSITIVE:
			return refused(CONDITION_INVALID_REFUND, FAULT_AMOUNT);
		case AMOUNT_TOO_HIGH:
			return refused(CONDITION_INVALID_REFUND, FAULT_AMOUNT_TOO_HIGH);
		case AMOUNT_UNKNOWN_METHOD:
			return refused(CONDITION_INVALID_REFUND, FAULT_METHOD);
		case AMOUNT_REPEATED:
		case AMOUNT_OTHER_REFERENCE:
			break; /* see above */
	}
	pg_unreachable();
}

Decision
decide_undo(const DecisionInput *q)
{
	UndoReach	needed;
	TimestampTz end = DT_NOEND;
	Decision	v;

	switch (q->live)
	{
		case STATE_REQUESTED:
			needed = UNDO_REQUESTED;
			break;
		case STATE_IN_PROGRESS:
			needed = UNDO_IN_PROGRESS;
			break;
		case STATE_CANCELED:
			needed = UNDO_CANCELED;
			break;
		default:
			if ((q->last == STATE_UNDONE || q->last == STATE_WITHDRAWN ||
				 (q->last == STATE_DENIED && q->last_undone)) &&
				!imported_canceled(q))
				return already(q->last);
			return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_NO_RECORD);
	}
	/* Only the record ends then, whatever the policy says. */
	if (disagrees(q))
		needed = UNDO_NEVER;
	if (q->policy->undo < needed)
		return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_UNDO_REACH);
	if (q->policy->undo_window && q->closed_at && !disagrees(q))
		end = span_end(*q->closed_at, q->policy->undo_window);
	if (q->now > end)
		return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_UNDO_WINDOW);
	if (q->unsettled && !q->settled)
		return refused(CONDITION_REFUND_NOT_SETTLED, FAULT_MONEY_KEPT);

	v = q->live != STATE_REQUESTED ?
		end_request(q, STATE_UNDONE, EVENT_UNDONE) :
		denies(q) ? end_request(q, STATE_DENIED, EVENT_DENIED) :
					end_request(q, STATE_WITHDRAWN, EVENT_WITHDRAWN);
	v.has_until = !TIMESTAMP_NOT_FINITE(end);
	v.until = end;
	return v;
}
