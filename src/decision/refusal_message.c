/*
 * refusal_message.c — what the message, DETAIL and HINT of a refusal say
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/text.h"
#include "decision/refusal.h"

/* The verbs as a sentence has them: "cannot be canceled", … */
static const char *const verb_participles[] = {
	[VERB_REQUEST_CANCEL] = "canceled",
	[VERB_CANCEL_ORDER] = "canceled",
	[VERB_OVERRIDE_CANCEL] = "canceled",
	[VERB_WITHDRAW_CANCEL] = "withdrawn",
	[VERB_ACCEPT_CANCEL] = "accepted",
	[VERB_DENY_CANCEL] = "denied",
	[VERB_RECORD_REFUND] = "refunded",
	[VERB_UNDO_CANCEL] = "undone",
	[VERB_MOVE] = "changed",
	[VERB_INSERT] = "inserted",
	[VERB_DELETE] = "deleted",
};

char *
quoted_or_null(const char *status)
{
	return status ? psprintf("\"%s\"", text_clip(status, 80)) : "NULL";
}

static void
explain_forbidden(Refusal *r, const RefusalDetail *names,
				  const DecisionInput *q, Fault fault)
{
	const Rule *rule = policy_rule(q->policy, q->status);
	const char *status = quoted_or_null(q->status);
	const char *party = party_name(q->party);

	if (names->to)
		r->message = psprintf(
			"status of order %s of %s cannot change from %s to %s",
			names->order, names->table, status, quoted_or_null(names->to));
	else if (q->verb == VERB_DELETE || q->verb == VERB_INSERT)
		r->message = psprintf("order %s of %s cannot be %s in status %s",
							  names->order, names->table,
							  verb_participles[q->verb], status);
	else if (fault == FAULT_OWN_REQUEST || fault == FAULT_OTHERS_REQUEST)
		r->message = psprintf(
			"cancellation request of order %s of %s cannot be %s by the %s",
			names->order, names->table, verb_participles[q->verb], party);
	else
		r->message = psprintf(
			"order %s of %s cannot be canceled by the %s in status %s",
			names->order, names->table, party, status);

	switch (fault)
	{
		case FAULT_NO_RULE:
			r->detail = psprintf("Policy \"%s\" has no rule for status %s.",
								 q->policy->name, status);
			r->hint =
				"Call ordcancel.set_rule() for the status if it should be allowed.";
			break;
		case FAULT_RULE:
			r->detail = psprintf(
				q->verb == VERB_DELETE ?
					"The rule of policy \"%s\" for status %s does not make it deletable." :
					"The rule of policy \"%s\" for status %s forbids it.",
				q->policy->name, status);
			r->hint =
				"Call ordcancel.cancel_options() to see what is allowed.";
			break;
		case FAULT_MUST_ASK:
			r->detail = psprintf(
				"Policy \"%s\" lets the %s only ask in status %s.",
				q->policy->name, party, status);
			r->hint = q->policy->requested_status ?
				psprintf(
					"Set the status to \"%s\", or call a function of ordcancel.",
					q->policy->requested_status) :
				"Call ordcancel.request_cancel() or ordcancel.cancel_order().";
			break;
		case FAULT_NOT_ASKED:
			r->detail = psprintf(
				"Policy \"%s\" lets the %s cancel at once in status %s.",
				q->policy->name, party, status);
			if (q->party == PARTY_MERCHANT)
				r->hint =
					"If it is the customer who asks, SET LOCAL ordcancel.party = 'customer' first.";
			break;
		case FAULT_ALREADY_ASKED:
			r->detail = psprintf(
				"A cancellation is requested already; the %s cannot decide it.",
				party);
			break;
		case FAULT_PLAIN_UPDATES:
			r->detail = q->verb == VERB_MOVE ?
				"It would deny the open request, and the table was attached with plain_updates => false." :
				"The table was attached with plain_updates => false.";
			r->hint = q->verb != VERB_MOVE ?
				"Call a function of ordcancel." :
				q->asked_by == q->party ?
				"Call ordcancel.withdraw_cancel() first." :
				"Call ordcancel.deny_cancel() first.";
			break;
		case FAULT_OTHER_STATUS:
			r->detail = psprintf(
				"The rules of policy \"%s\" lead to another status.",
				q->policy->name);
			r->hint = "Call a function of ordcancel.";
			break;
		case FAULT_OWN_REQUEST:
			r->detail = psprintf("The %s asked for it.", party);
			r->hint = "Call ordcancel.withdraw_cancel().";
			break;
		case FAULT_OTHERS_REQUEST:
			r->detail = psprintf("The %s asked for it.",
								 party_name(q->asked_by));
			r->hint = q->party == PARTY_MERCHANT ?
				"Call ordcancel.deny_cancel()." :
				NULL;
			break;
		case FAULT_OPEN:
			r->detail = "A cancellation of it is open.";
			r->hint = "Decide, complete or undo the cancellation first.";
			break;
		case FAULT_NO_RECORD:
			r->detail = psprintf(
				"A status of policy \"%s\" for open cancellations needs a cancellation.",
				q->policy->name);
			r->hint =
				"Insert the order in the status it had before, then request the cancellation.";
			break;
		default:
			break;
	}
	if (q->verb == VERB_DELETE && fault != FAULT_OPEN)
		r->hint =
			"Orders are deleted only in a status whose rule says deletable.";
	if (rule && rule->hint && fault != FAULT_PLAIN_UPDATES)
		r->hint = rule->hint;
}

static void
explain_words(Refusal *r, const RefusalDetail *names, const DecisionInput *q,
			  Fault fault)
{
	const char *reason = names->reason ? text_clip(names->reason, 80) : "";
	int note_max = q->reason ? Min(q->reason->note_max, NOTE_MAX_LENGTH) :
							   NOTE_MAX_LENGTH;

	r->hint = "Look up the reasons in ordcancel.reason.";
	switch (fault)
	{
		case FAULT_REASON_MISSING:
			r->message = "a cancellation needs a reason";
			r->detail = psprintf("Policy \"%s\" requires one.",
								 q->policy->name);
			break;
		case FAULT_REASON_UNKNOWN:
			r->message = psprintf("cancellation reason \"%s\" does not exist",
								  reason);
			break;
		case FAULT_REASON_INACTIVE:
			r->message = psprintf("cancellation reason \"%s\" is not active",
								  reason);
			break;
		case FAULT_REASON_AUDIENCE:
			r->message = psprintf(
				"cancellation reason \"%s\" is not for the %s", reason,
				party_name(q->party));
			break;
		case FAULT_REASON_NOT_ASKED:
			r->message = psprintf(
				"cancellation reason \"%s\" needs a request of the customer",
				reason);
			r->detail = "The customer has not asked for this cancellation.";
			break;
		case FAULT_NOTE_MISSING:
			r->message = q->reason && q->reason->requires_note ?
				psprintf("cancellation reason \"%s\" needs a note", reason) :
				psprintf("%s needs a note", verb_name(q->verb));
			if (q->verb == VERB_UNDO_CANCEL)
				r->detail = psprintf("It denies what the %s asked for.",
									 party_name(q->asked_by));
			r->hint = psprintf("Give a note of 1 to %d characters.", note_max);
			break;
		default:
			r->message = "note is too long";
			r->detail = psprintf("It has %d characters; %d are allowed.",
								 q->note_length, note_max);
			r->hint = NULL;
			break;
	}
}

static void
explain_undo(Refusal *r, const RefusalDetail *names, const DecisionInput *q,
			 Fault fault)
{
	r->message = psprintf("cancellation of order %s of %s cannot be undone",
						  names->order, names->table);
	if (fault == FAULT_UNDO_REACH)
		r->detail = psprintf(
			"Policy \"%s\" does not let an undo reach a cancellation in state \"%s\".",
			q->policy->name, state_name(q->live));
	else if (fault == FAULT_UNDO_WINDOW)
		r->detail = psprintf("Policy \"%s\" allowed it until %s.",
							 q->policy->name,
							 timestamptz_to_str(
								 span_end(*q->closed_at,
										  q->policy->undo_window)));
	else
		r->detail = "The order has no live cancellation on record.";
}

static void
explain_refund(Refusal *r, const RefusalDetail *names, Fault fault)
{
	if (fault == FAULT_AMOUNT)
		r->message = "refund amount must be a positive number";
	else if (fault == FAULT_METHOD)
	{
		r->message = psprintf("refund method \"%s\" does not exist",
							  names->method ? text_clip(names->method, 80) :
											  "");
		r->hint = "Look up the methods in ordcancel.refund_method.";
	}
	else if (fault == FAULT_REFERENCE)
	{
		r->message = psprintf(
			"refund reference \"%s\" of order %s of %s was used before",
			text_clip(names->reference, 80), names->order, names->table);
		r->detail = psprintf("A refund of %s by \"%s\" is on record under it.",
							 names->recorded_amount, names->recorded_method);
		r->hint =
			"Give each refund a reference of its own, and the same one only to repeat it.";
	}
	else
	{
		r->message = psprintf(
			"refund of order %s of %s is higher than what is due",
			names->order, names->table);
		r->detail = psprintf("%s is due, %s is refunded already.", names->due,
							 names->refunded);
	}
}

char *
refusal_undo_hint(const Policy *policy, bool on_record)
{
	if (!on_record)
		return "It came canceled, without a cancellation on record that could be undone.";
	return policy->undo == UNDO_NEVER ?
		NULL :
		"Call ordcancel.undo_cancel() to undo the cancellation.";
}

static void
explain_canceled(Refusal *r, const RefusalDetail *names,
				 const DecisionInput *q, Fault fault)
{
	r->message = psprintf(q->live == STATE_IN_PROGRESS ?
							  "cancellation of order %s of %s is in progress" :
							  "order %s of %s is canceled",
						  names->order, names->table);
	if (fault == FAULT_DISAGREES)
	{
		r->message = psprintf("order %s of %s and its cancellation disagree",
							  names->order, names->table);
		r->detail = psprintf(
			"The order has status %s; its cancellation is on record as \"%s\".",
			quoted_or_null(q->status), state_name(q->live));
		r->hint =
			"Its status was written while the triggers were off. "
			"Call ordcancel.undo_cancel() to end the cancellation; the order keeps its status.";
		return;
	}
	if (fault == FAULT_COMES_AGAIN || fault == FAULT_CAME_TO_STAY)
	{
		r->detail = psprintf(
			"An order of this key was canceled and deleted; it is inserted again in status %s.",
			quoted_or_null(q->status));
		r->hint = fault == FAULT_COMES_AGAIN ?
			psprintf(
				"Insert it in status \"%s\", then call ordcancel.undo_cancel(), or give it another key.",
				q->policy->canceled_status) :
			"Give it another key.";
		return;
	}
	if (names->to)
		r->detail = psprintf("Its status cannot change from %s to %s.",
							 quoted_or_null(q->status),
							 quoted_or_null(names->to));
	r->hint = refusal_undo_hint(q->policy, q->live != STATE_NONE);
}

/* The functions that a plain update to canceled skips. */
static char *
way_to_refund(const DecisionInput *q)
{
	if (q->live == STATE_IN_PROGRESS)
		return "Call ordcancel.record_refund().";
	if (q->party == PARTY_CUSTOMER)
		return "Call ordcancel.request_cancel(); the order is canceled when the refunds are recorded.";
	return q->live == STATE_REQUESTED ?
		"Call ordcancel.accept_cancel(), then ordcancel.record_refund()." :
		"Call ordcancel.cancel_order(), then ordcancel.record_refund().";
}

static void
explain_hold(Refusal *r, const DecisionInput *q, Fault fault)
{
	if (fault == FAULT_PRIOR_STATUS)
	{
		r->detail = psprintf(
			"A cancellation request is open, and %s is the status that the order had before it.",
			quoted_or_null(q->prior_status));
		r->hint =
			"Call ordcancel.withdraw_cancel() or ordcancel.deny_cancel() to end the request. "
			"A program that saves whole rows has to read the order again first.";
		return;
	}
	r->detail = psprintf(
		"A cancellation request is open, and policy \"%s\" holds the order until it is decided.",
		q->policy->name);
	r->hint = "Accept or deny the request first.";
}

static void
explain_policy(Refusal *r, const RefusalDetail *names, const DecisionInput *q,
			   Fault fault)
{
	if (fault != FAULT_STALE_STATUS && fault != FAULT_STALE_RULE)
	{
		r->message = psprintf("policy \"%s\" of %s has no canceled status",
							  q->policy->name, names->table);
		if (names->to)
			r->detail = psprintf(
				"Status %s is one of a cancellation, but policy \"%s\" has none to cancel its orders with.",
				quoted_or_null(names->to), q->policy->name);
		r->hint = psprintf(
			"Call ordcancel.set_policy(..., policy => %s, canceled_status => ...).",
			quote_literal_cstr(text_clip(q->policy->name, 80)));
		return;
	}
	r->of_setup = true;
	r->message = psprintf("policy \"%s\" of %s does not fit its statuses",
						  q->policy->name, names->table);
	r->detail = psprintf(
		fault == FAULT_STALE_STATUS ?
			"It names status \"%s\", which does not exist any more." :
			"It has a rule for status \"%s\", which does not exist any more, and none for this one.",
		fault == FAULT_STALE_STATUS ? q->policy->stale_status :
									  q->policy->stale_rule);
	r->hint = fault == FAULT_STALE_STATUS ?
		"Call ordcancel.set_policy() with the status as it is called now." :
		"Call ordcancel.set_rule() for the status as it is called now, and ordcancel.drop_rule() for the old one.";
}

Refusal
refusal_explain(const RefusalDetail *names, const DecisionInput *q,
				const Decision *v)
{
	Refusal r = {.condition = v->condition,
				 .sqlstate = condition_sqlstate(v->condition)};

	switch (v->condition)
	{
		case CONDITION_CANCELLATION_FORBIDDEN:
			explain_forbidden(&r, names, q, v->fault);
			break;
		case CONDITION_GRACE_PERIOD_OVER:
			explain_forbidden(&r, names, q, FAULT_NONE);
			r.detail = psprintf(
				"The customer's window of policy \"%s\" closed at %s.",
				q->policy->name,
				timestamptz_to_str(span_end(*q->placed_at, q->policy->grace)));
			break;
		case CONDITION_CANCELLATION_BLOCKED:
			r.message = psprintf("cancellation of order %s of %s is blocked",
								 names->order, names->table);
			r.detail = psprintf("Block \"%s\" holds for it.",
								names->block ? names->block : "");
			r.hint = (char *) names->block_hint;
			break;
		case CONDITION_INVALID_REASON:
			explain_words(&r, names, q, v->fault);
			break;
		case CONDITION_NO_OPEN_CANCELLATION:
			r.message = psprintf("order %s of %s has no open cancellation",
								 names->order, names->table);
			r.detail = q->live == STATE_NONE ?
				NULL :
				psprintf("Its cancellation is in state \"%s\".",
						 state_name(q->live));
			break;
		case CONDITION_UNDO_NOT_ALLOWED:
			explain_undo(&r, names, q, v->fault);
			break;
		case CONDITION_REFUND_NOT_SETTLED:
			r.message = psprintf("refund of order %s of %s is not settled",
								 names->order, names->table);
			if (v->fault == FAULT_MONEY_DUE)
			{
				r.detail = psprintf("%s is due, %s is refunded.", names->due,
									names->refunded);
				r.hint = way_to_refund(q);
			}
			else
			{
				r.detail =
					"A refund was made by a method that must be recaptured or repaid.";
				r.hint = "Get the money back, then pass settled => true.";
			}
			break;
		case CONDITION_INVALID_REFUND:
			explain_refund(&r, names, v->fault);
			break;
		case CONDITION_ORDER_ON_HOLD:
			r.message = psprintf("order %s of %s is on hold", names->order,
								 names->table);
			explain_hold(&r, q, v->fault);
			break;
		case CONDITION_ORDER_IS_CANCELED:
			explain_canceled(&r, names, q, v->fault);
			break;
		case CONDITION_INVALID_POLICY:
			explain_policy(&r, names, q, v->fault);
			break;
		default:
			elog(ERROR, "condition %d has no explanation", v->condition);
	}
	return r;
}
