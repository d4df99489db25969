/*
 * decision.c — decides calls of functions; decide() is the entry for all verbs
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "decision/decision_rules.h"

static Decision decide_begin(const DecisionInput *input);
static Decision decide_expire(const DecisionInput *input);
static Decision decide_withdraw(const DecisionInput *input);
static Decision decide_accept(const DecisionInput *input);
static Decision decide_deny(const DecisionInput *input);

static Decision
decide_verb(const DecisionInput *input)
{
	switch (input->verb)
	{
		case VERB_REQUEST_CANCEL:
		case VERB_CANCEL_ORDER:
		case VERB_OVERRIDE_CANCEL:
		case VERB_REQUEST_CANCEL_ITEMS:
		case VERB_CANCEL_ITEMS:
			return decide_begin(input);
		case VERB_EXPIRE:
			return decide_expire(input);
		case VERB_WITHDRAW_CANCEL:
			return decide_withdraw(input);
		case VERB_ACCEPT_CANCEL:
			return decide_accept(input);
		case VERB_DENY_CANCEL:
			return decide_deny(input);
		case VERB_RECORD_REFUND:
			return decide_refund(input);
		case VERB_ADJUST_REFUND:
			return decide_adjust(input);
		case VERB_UNDO_CANCEL:
			return decide_undo(input);
		case VERB_MOVE:
			return decide_move(input);
		case VERB_INSERT:
			return decide_insert(input);
		case VERB_DELETE:
			return decide_delete(input);
	}
	pg_unreachable();
}

Decision
decide(const DecisionInput *input)
{
	Decision decision;

	if (is_stale(input))
		return refused(CONDITION_INVALID_POLICY, FAULT_STALE_STATUS);
	decision = decide_verb(input);

	/* Valid until the deadline at most, when the system decides the request. */
	if (input->live == STATE_REQUESTED && input->deadline &&
		decision.changed &&
		(!decision.has_until || decision.until > *input->deadline))
	{
		decision.has_until = true;
		decision.until = *input->deadline;
	}
	return decision;
}

bool
decision_is_part(const DecisionInput *input)
{
	bool items = input->live == STATE_REQUESTED ?
		input->part :
		verb_traits[input->verb].items;

	return items ? !input->takes_all : input->fulfilled;
}

/*
 * The items become canceled, or their cancellation is in progress while a
 * refund is due.  The order keeps its status, or gets back the one that it had
 * before a request to cancel it as a whole.
 */
static Decision
reach_items_canceled(const DecisionInput *input)
{
	Decision decision = {.changed = true,
						 .part = true,
						 .owes = input->money_due};
	bool	 waits = input->money_due && !input->policy->settle_after;

	decision.state = waits ? STATE_IN_PROGRESS : STATE_CANCELED;
	decision.event = waits ? EVENT_ACCEPTED : EVENT_ITEMS_CANCELED;
	if (input->live == STATE_REQUESTED && !input->part && !input->moved_on)
	{
		decision.status = input->prior_status;
		decision.clear_status = input->prior_status == NULL;
	}
	return decision;
}

/*
 * The order becomes canceled, or in progress while a refund is due, also of a
 * part of it.  With "by_customer" no merchant took part, and
 * customer_canceled_status applies.
 */
Decision
reach_canceled(const DecisionInput *input, bool by_customer, bool part)
{
	Decision decision = {.changed = true, .owes = input->money_due};

	/* Without canceled_status the cancellation could never be completed. */
	if (input->policy->canceled_status == NULL)
		return refused(CONDITION_INVALID_POLICY, FAULT_NO_CANCELED_STATUS);
	if (part)
		return reach_items_canceled(input);

	if (!input->policy->settle_after && (input->money_due || input->part_open))
	{
		decision.state = STATE_IN_PROGRESS;
		decision.status = input->policy->in_progress_status;
		decision.event = EVENT_ACCEPTED;
	}
	else
	{
		decision.state = STATE_CANCELED;
		decision.status = canceled_status(input->policy, by_customer);
		decision.event = EVENT_CANCELED;
	}
	return decision;
}

/*
 * If the customer's rule changes when the grace period ends, the decision is
 * valid until then only.
 */
static void
until_window_ends(Decision *decision, const DecisionInput *input,
				  const Rule *rule, RuleMode mode, bool late)
{
	if (late || input->party != PARTY_CUSTOMER || !input->policy->grace ||
		!input->placed_at || rule->customer_late == mode)
		return;
	decision->until = span_end(*input->placed_at, input->policy->grace);
	decision->has_until = !TIMESTAMP_NOT_FINITE(decision->until);
}

/*
 * Can the items that are meant be canceled, or of a whole order what is left?
 */
static Decision
decide_items(const DecisionInput *input, bool items)
{
	static const Fault faults[] = {
		[ITEMS_UNKNOWN] = FAULT_ITEM_UNKNOWN,
		[ITEMS_QUANTITY] = FAULT_ITEM_QUANTITY,
		[ITEMS_TOO_MANY] = FAULT_ITEM_TOO_MANY,
		[ITEMS_NONE_LEFT] = FAULT_NO_ITEM_LEFT,
	};

	if (!items && input->fulfilled && !input->policy->partly_rest &&
		input->verb != VERB_OVERRIDE_CANCEL)
		return refused(CONDITION_CANCELLATION_BLOCKED, FAULT_PARTLY_FULFILLED);
	/* An order with nothing left to cancel of its items can be canceled. */
	if (input->items != ITEMS_AVAILABLE &&
		(items || input->fulfilled || input->items != ITEMS_NONE_LEFT))
		return refused(CONDITION_ITEMS_NOT_AVAILABLE, faults[input->items]);
	return (Decision){0};
}

/* Can what the call asks to be due be due? */
static Decision
decide_refund_argument(const DecisionInput *input)
{
	switch (input->refund)
	{
		case REFUND_NOT_VALID:
			return refused(CONDITION_INVALID_REFUND, FAULT_DUE);
		case REFUND_TOO_HIGH:
			return refused(CONDITION_INVALID_REFUND, FAULT_DUE_TOO_HIGH);
		default:
			return (Decision){0};
	}
}

/* The cancellation is accepted. */
static Decision
accept(const DecisionInput *input, bool by_customer)
{
	Decision decision = decide_refund_argument(input);

	return decision.condition != CONDITION_NONE ?
		decision :
		reach_canceled(input, by_customer, decision_is_part(input));
}

/* All verbs that begin a cancellation, of an order or of items. */
static Decision
decide_begin(const DecisionInput *input)
{
	const Rule *rule = policy_rule(input->policy, input->status);
	bool		override = input->verb == VERB_OVERRIDE_CANCEL;
	bool		expired = input->verb == VERB_EXPIRE;
	bool		items = verb_traits[input->verb].items;
	RuleMode	mode = MODE_FORBID;
	bool		late = false;
	Decision	decision;

	if (disagrees(input))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	if (items &&
		(input->live == STATE_CANCELED || input->live == STATE_IN_PROGRESS ||
		 imported_canceled(input)))
		return refused(CONDITION_ITEMS_NOT_AVAILABLE, FAULT_ORDER_CLOSED);
	if (input->live == STATE_CANCELED || input->live == STATE_IN_PROGRESS)
		return already(input->live);
	if (imported_canceled(input))
		return already(STATE_CANCELED);
	if (input->live == STATE_REQUESTED &&
		(input->part != items || (items && !input->same_items)))
		return refused(CONDITION_ORDER_ON_HOLD, FAULT_OTHER_REQUEST);
	if (input->live == STATE_REQUESTED && input->party == PARTY_CUSTOMER &&
		!override)
		return already(STATE_REQUESTED);

	if (input->party == PARTY_CUSTOMER && input->policy->grace &&
		input->placed_at)
		late = input->now > span_end(*input->placed_at, input->policy->grace);

	if (override || expired)
		mode = MODE_CANCEL;
	else if (input->live == STATE_REQUESTED)
		mode = MODE_CANCEL; /* the merchant confirms the request */
	else if (rule != NULL)
		mode = input->party == PARTY_CUSTOMER ?
			(late ? rule->customer_late : rule->customer) :
			rule->merchant;

	if (mode == MODE_FORBID)
	{
		if (rule == NULL)
			return refused_without_rule(input);
		decision = late && rule->customer != MODE_FORBID ?
			refused(CONDITION_GRACE_PERIOD_OVER, FAULT_RULE) :
			refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_RULE);
		if (!input->blocked)
			until_window_ends(&decision, input, rule, mode, late);
		return decision;
	}
	if (input->blocked && !override)
		return refused(CONDITION_CANCELLATION_BLOCKED, FAULT_NONE);
	decision = decide_reason(input);
	if (decision.condition != CONDITION_NONE)
		return decision;
	decision = decide_items(input, items);
	if (decision.condition != CONDITION_NONE)
		return decision;

	if (mode == MODE_REQUEST && input->refund != REFUND_NOT_GIVEN)
		return refused(CONDITION_INVALID_REFUND, FAULT_DUE_UNDECIDED);
	if (mode == MODE_REQUEST)
		decision = (Decision){.changed = true,
							  .state = STATE_REQUESTED,
							  .part = items,
							  .status = items ?
								  NULL :
								  input->policy->requested_status,
							  .event = EVENT_REQUESTED};
	else
		decision = accept(input, input->party == PARTY_CUSTOMER);
	if (decision.condition != CONDITION_NONE)
		return decision;
	decision.accepts = input->live == STATE_REQUESTED;
	decision.late = late;
	decision.reason = expired && rule ? rule->expire_reason : NULL;

	if (!override && input->live == STATE_NONE)
		until_window_ends(&decision, input, rule, mode, late);
	return decision;
}

/*
 * Has the order been in its status for longer than the rule allows?  After an
 * undo the time starts again, or the next sweep would cancel the order at once.
 */
static bool
is_expired(const DecisionInput *input)
{
	const Rule *rule = policy_rule(input->policy, input->status);
	TimestampTz since;

	if (rule == NULL || rule->expire_after == NULL || input->since == NULL ||
		input->kind != STATUS_ORDINARY)
		return false;
	since = *input->since;
	if (input->last == STATE_UNDONE && input->closed_at &&
		*input->closed_at > since)
		since = *input->closed_at;
	return input->now > span_end(since, rule->expire_after);
}

/*
 * The timer of an order: while a cancellation is live, its own deadline and
 * refunds decide.  The modes of the rule do not matter to the system.
 */
static Decision
decide_expire(const DecisionInput *input)
{
	if (input->live != STATE_NONE || !is_expired(input))
		return already(input->live);
	return decide_begin(input);
}

/*
 * The cancellation ends in the given state.  The order gets its prior status
 * back, unless its status has changed in the meantime.
 */
static Decision
end_cancellation(const DecisionInput *input, State state, EventType event)
{
	Decision decision = decide_reason(input);

	if (decision.condition != CONDITION_NONE)
		return decision;
	decision.changed = true;
	decision.state = state;
	decision.event = event;
	decision.part = input->part;
	if (!input->moved_on && !input->part)
	{
		decision.status = input->prior_status;
		decision.clear_status = input->prior_status == NULL;
	}
	return decision;
}

static Decision
decide_withdraw(const DecisionInput *input)
{
	if (input->live == STATE_NONE && input->last == STATE_WITHDRAWN)
		return already(STATE_WITHDRAWN);
	if (input->live != STATE_REQUESTED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (input->requested_by != input->party)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OTHERS_REQUEST);
	return end_cancellation(input, STATE_WITHDRAWN, EVENT_WITHDRAWN);
}

static Decision
decide_accept(const DecisionInput *input)
{
	Decision decision;

	if (disagrees(input))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	if (input->live == STATE_IN_PROGRESS || input->live == STATE_CANCELED)
		return already(input->live);
	if (input->live != STATE_REQUESTED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (input->blocked)
		return refused(CONDITION_CANCELLATION_BLOCKED, FAULT_NONE);
	decision = decide_reason(input);
	if (decision.condition != CONDITION_NONE)
		return decision;
	decision = decide_items(input, input->part);
	if (decision.condition != CONDITION_NONE)
		return decision;
	decision = accept(input, false);
	decision.accepts = decision.condition == CONDITION_NONE;
	return decision;
}

static Decision
decide_deny(const DecisionInput *input)
{
	if (input->live == STATE_NONE && input->last == STATE_DENIED)
		return already(STATE_DENIED);
	if (input->live != STATE_REQUESTED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (input->requested_by == input->party)
		return refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_OWN_REQUEST);
	return end_cancellation(input, STATE_DENIED, EVENT_DENIED);
}

Decision
decide_undo(const DecisionInput *input)
{
	const TimestampTz *closed_at = decision_undo_from(input);
	UndoReach		   needed;
	TimestampTz		   end = DT_NOEND;
	Decision		   decision;

	if (input->ambiguous)
		return refused(CONDITION_AMBIGUOUS_CANCELLATION, FAULT_NONE);
	if (input->part && input->closed && state_is_live(input->live))
		return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_ORDER_CLOSED);
	switch (input->live)
	{
		case STATE_REQUESTED:
			needed = UNDO_REQUESTED;
			break;
		case STATE_IN_PROGRESS:
			/* A refund that is due again does not make it easier to undo. */
			needed = input->first_closed_at ? UNDO_CANCELED : UNDO_IN_PROGRESS;
			break;
		case STATE_CANCELED:
			needed = UNDO_CANCELED;
			break;
		default:
			if ((input->last == STATE_UNDONE ||
				 input->last == STATE_WITHDRAWN ||
				 (input->last == STATE_DENIED && input->last_undone)) &&
				!imported_canceled(input))
				return already(input->last);
			return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_NO_RECORD);
	}
	/* If they disagree, undo only ends the record; no policy forbids that. */
	if (!disagrees(input) && input->policy->undo < needed)
		return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_UNDO_REACH);
	if (input->policy->undo_window && closed_at && !disagrees(input))
		end = span_end(*closed_at, input->policy->undo_window);
	if (input->now > end)
		return refused(CONDITION_UNDO_NOT_ALLOWED, FAULT_UNDO_WINDOW);
	if (input->unsettled && !input->settled)
		return refused(CONDITION_REFUND_NOT_SETTLED, FAULT_REFUND_UNSETTLED);

	decision = input->live != STATE_REQUESTED ?
		end_cancellation(input, STATE_UNDONE, EVENT_UNDONE) :
		denies(input) ?
		end_cancellation(input, STATE_DENIED, EVENT_DENIED) :
		end_cancellation(input, STATE_WITHDRAWN, EVENT_WITHDRAWN);
	decision.has_until = !TIMESTAMP_NOT_FINITE(end);
	decision.until = end;
	return decision;
}
