/*
 * decision.c — may this be done to this order, and what becomes of it?
 */
#include "postgres.h"

#include "utils/timestamp.h"

#include "decision/decision.h"

static Decision decide_begin(const DecisionInput *q);
static Decision decide_withdraw(const DecisionInput *q);
static Decision decide_accept(const DecisionInput *q);
static Decision decide_deny(const DecisionInput *q);
static Decision decide_refund(const DecisionInput *q);
static Decision decide_undo(const DecisionInput *q);
static Decision decide_move(const DecisionInput *q);
static Decision decide_insert(const DecisionInput *q);
static Decision decide_delete(const DecisionInput *q);

static Decision
refused(Condition condition, Fault fault)
{
	return (Decision){.condition = condition, .fault = fault};
}

static Decision
already(State state)
{
	return (Decision){.state = state};
}

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

/* Nothing can be judged by words that no order has any more. */
static bool
is_stale(const DecisionInput *q)
{
	return q->policy->stale_status != NULL;
}

/* Perhaps the rule was for this status, under its old name. */
static Decision
refused_without_rule(const DecisionInput *q)
{
	return q->policy->stale_rule ?
		refused(CONDITION_INVALID_POLICY, FAULT_STALE_RULE) :
		refused(CONDITION_CANCELLATION_FORBIDDEN, FAULT_NO_RULE);
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

/* An order that came canceled, without a cancellation of ours. */
static bool
imported_canceled(const DecisionInput *q)
{
	return q->live == STATE_NONE && q->kind == STATUS_CANCELED;
}

/*
 * Does the record say canceled of an order that is under way?  Somebody went
 * round the guard.  Neither is true until the cancellation is undone.
 */
static bool
disagrees(const DecisionInput *q)
{
	return (q->live == STATE_CANCELED || q->live == STATE_IN_PROGRESS) &&
		q->moved_on && q->kind == STATUS_ORDINARY;
}

/* Is what ends an open request a denial, and no withdrawal? */
static bool
denies(const DecisionInput *q)
{
	return q->live == STATE_REQUESTED && q->asked_by != q->party;
}

/*
 * Judges reason and note.  Returns CONDITION_NONE in the verdict when they
 * will do.
 */
Decision
decide_reason(const DecisionInput *q)
{
	/* The system gives a reason where nobody else did, and needs none. */
	bool takes_reason = q->party != PARTY_SYSTEM &&
		(q->verb == VERB_REQUEST_CANCEL || q->verb == VERB_CANCEL_ORDER ||
		 q->verb == VERB_OVERRIDE_CANCEL || q->verb == VERB_ACCEPT_CANCEL);
	bool needs_note = q->verb == VERB_OVERRIDE_CANCEL ||
		(q->verb == VERB_DENY_CANCEL && q->party != PARTY_SYSTEM) ||
		(q->verb == VERB_UNDO_CANCEL && denies(q));
	int	 note_max = NOTE_MAX_LENGTH;
	bool customer_asked = q->party == PARTY_CUSTOMER ||
		(q->live == STATE_REQUESTED && q->asked_by == PARTY_CUSTOMER);
	Fault fault = FAULT_NONE;

	if (q->reason_unknown)
		return refused(CONDITION_NONE, FAULT_NONE);

	if (q->reason_given && takes_reason)
	{
		if (q->reason == NULL)
			fault = FAULT_REASON_UNKNOWN;
		else if (!q->reason->active)
			fault = FAULT_REASON_INACTIVE;
		else if (q->reason->audience != AUDIENCE_ANY &&
				 (int) q->reason->audience != (int) q->party)
			fault = FAULT_REASON_AUDIENCE;
		else if (q->reason->requires_request && !customer_asked)
			fault = FAULT_REASON_NOT_ASKED;
		else
		{
			needs_note |= q->reason->requires_note;
			note_max = Min(note_max, q->reason->note_max);
		}
	}
	else if (takes_reason && q->policy->reason_required &&
			 !q->reason_on_record)
		fault = FAULT_REASON_MISSING;

	if (fault == FAULT_NONE && needs_note && q->note_length == 0)
		fault = FAULT_NOTE_MISSING;
	if (fault == FAULT_NONE && q->note_length > note_max)
		fault = FAULT_NOTE_TOO_LONG;

	return refused(fault == FAULT_NONE ? CONDITION_NONE :
										 CONDITION_INVALID_REASON,
				   fault);
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

static Decision
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

/* The order goes on to an ordinary status. */
static Decision
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
static Decision
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

static Decision
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
