/*
 * refusal_message.c — message, DETAIL and HINT of refusals
 *
 * Those about rules, reasons and refunds have files of their own.
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/timestamp.h"

#include "base/text.h"
#include "decision/refusal.h"
#include "decision/refusal_parts.h"

char *
quoted_or_null(const char *status)
{
	return status ? psprintf("\"%s\"", text_clip(status, 80)) : "NULL";
}

static void
explain_undo(Refusal *r, const RefusalDetail *names,
			 const DecisionInput *input, Fault fault)
{
	r->message = psprintf("cancellation of order %s of %s cannot be undone",
						  names->order, names->table);
	if (fault == FAULT_UNDO_REACH && input->first_closed_at)
		r->detail = psprintf(
			"Policy \"%s\" does not allow undoing a cancellation that has been complete.",
			input->policy->name);
	else if (fault == FAULT_UNDO_REACH)
		r->detail = psprintf(
			"Policy \"%s\" does not allow undoing a cancellation in state \"%s\".",
			input->policy->name, state_name(input->live));
	else if (fault == FAULT_UNDO_WINDOW)
		r->detail = psprintf("Policy \"%s\" allowed it until %s.",
							 input->policy->name,
							 timestamptz_to_str(
								 span_end(*decision_undo_from(input),
										  input->policy->undo_window)));
	else if (fault == FAULT_ORDER_CLOSED)
	{
		r->detail = "The order itself is canceled.";
		r->hint = "Undo the cancellation of the order first.";
	}
	else
		r->detail = "The order has no live cancellation.";
}

char *
refusal_undo_hint(const Policy *policy, bool on_record)
{
	if (!on_record)
		return "It was canceled without ordcancel, so there is no cancellation to undo.";
	return policy->undo == UNDO_NEVER ?
		NULL :
		"Call ordcancel.undo_cancel() to undo the cancellation.";
}

/* deleted_when may no longer be true of an order, or its key comes again. */
static void
explain_reinserted(Refusal *r, const DecisionInput *input, Fault fault)
{
	const char *status = quoted_or_null(input->status);
	const char *canceled = input->policy->canceled_status;

	if (input->restored)
	{
		r->detail = psprintf(
			"The order was canceled and deleted, and is restored in status %s.",
			status);
		if (canceled && fault == FAULT_REINSERTED)
			r->hint = psprintf(
				"Restore it in status \"%s\", then call ordcancel.undo_cancel().",
				canceled);
		else if (canceled)
			r->hint = psprintf("Restore it in status \"%s\".", canceled);
		return;
	}
	r->detail = psprintf(
		"An order with this key was canceled and deleted, and is inserted again in status %s.",
		status);
	r->hint = fault == FAULT_REINSERTED ?
		psprintf(
			"Insert it in status \"%s\", then call ordcancel.undo_cancel(), or use another key.",
			canceled) :
		"Use another key.";
}

static void
explain_canceled(Refusal *r, const RefusalDetail *names,
				 const DecisionInput *input, Fault fault)
{
	r->message = psprintf(input->live == STATE_IN_PROGRESS ?
							  "cancellation of order %s of %s is in progress" :
							  "order %s of %s is canceled",
						  names->order, names->table);
	if (fault == FAULT_DISAGREES)
	{
		r->message = psprintf("order %s of %s and its cancellation disagree",
							  names->order, names->table);
		r->detail = psprintf(
			"The order has status %s, but its cancellation is in state \"%s\".",
			quoted_or_null(input->status), state_name(input->live));
		r->hint =
			"Its status was changed while the triggers were disabled. "
			"Call ordcancel.undo_cancel() to end the cancellation; the order keeps its status.";
		return;
	}
	if (fault == FAULT_REINSERTED || fault == FAULT_REINSERTED_NO_UNDO)
	{
		explain_reinserted(r, input, fault);
		return;
	}
	if (names->to)
		r->detail = psprintf("Its status cannot change from %s to %s.",
							 quoted_or_null(input->status),
							 quoted_or_null(names->to));
	r->hint = refusal_undo_hint(input->policy, input->live != STATE_NONE);
}

static void
explain_hold(Refusal *r, const DecisionInput *input, Fault fault)
{
	if (fault == FAULT_OTHER_REQUEST)
	{
		r->detail = input->part ?
			"A request to cancel some of its items is open." :
			"A request to cancel the whole order is open.";
		r->hint = "Accept, deny or withdraw the request first.";
		return;
	}
	if (fault == FAULT_PRIOR_STATUS)
	{
		r->detail = psprintf(
			"A cancellation request is open, and %s is the status that the order had before it.",
			quoted_or_null(input->prior_status));
		r->hint =
			"Call ordcancel.withdraw_cancel() or ordcancel.deny_cancel() to end the request. "
			"A program that saves whole rows must read the order again first.";
		return;
	}
	r->detail = psprintf(
		"A cancellation request is open, and policy \"%s\" holds the order until it is decided.",
		input->policy->name);
	r->hint = "Accept or deny the request first.";
}

static void
explain_block(Refusal *r, const RefusalDetail *names, Fault fault)
{
	r->message = psprintf("cancellation of order %s of %s is blocked",
						  names->order, names->table);
	if (fault == FAULT_PARTLY_FULFILLED)
	{
		r->detail = psprintf("The order is partly fulfilled.%s%s",
							 names->items ? " " : "",
							 names->items ? names->items : "");
		r->hint =
			"Call ordcancel.cancel_items() for what is left, "
			"or ordcancel.set_policy(..., partly_fulfilled => 'rest') to let it do so.";
		return;
	}
	r->detail = psprintf("Block \"%s\" applies to the order.",
						 names->block ? names->block : "");
	r->hint = (char *) names->block_hint;
}

static void
explain_items(Refusal *r, const RefusalDetail *names,
			  const DecisionInput *input, Fault fault)
{
	r->message = psprintf("items of order %s of %s cannot be canceled",
						  names->order, names->table);
	if (fault == FAULT_ORDER_CLOSED)
		r->detail = input->live == STATE_IN_PROGRESS ?
			"The cancellation of the order itself is in progress." :
			"The order itself is canceled.";
	else
		r->detail = names->items ? pstrdup(names->items) :
								   "Nothing of the order is left to cancel.";
	r->hint = "Call ordcancel.item_options() to see what can be canceled.";
}

static void
explain_policy(Refusal *r, const RefusalDetail *names,
			   const DecisionInput *input, Fault fault)
{
	if (fault != FAULT_STALE_STATUS && fault != FAULT_STALE_RULE)
	{
		r->message = psprintf("policy \"%s\" of %s has no canceled status",
							  input->policy->name, names->table);
		if (names->to)
			r->detail = psprintf(
				"Status %s means a cancellation, but policy \"%s\" has no status for canceled orders.",
				quoted_or_null(names->to), input->policy->name);
		r->hint = psprintf(
			"Call ordcancel.set_policy(..., policy => %s, canceled_status => ...).",
			quote_literal_cstr(text_clip(input->policy->name, 80)));
		return;
	}
	r->of_setup = true;
	r->message = psprintf(
		"policy \"%s\" of %s refers to a status that no longer exists",
		input->policy->name, names->table);
	r->detail = psprintf(
		fault == FAULT_STALE_STATUS ?
			"The policy uses status \"%s\"." :
			"The policy has a rule for status \"%s\", which no longer exists, and none for this status.",
		fault == FAULT_STALE_STATUS ? input->policy->stale_status :
									  input->policy->stale_rule);
	r->hint = fault == FAULT_STALE_STATUS ?
		"Call ordcancel.set_policy() with the new name of the status." :
		"Call ordcancel.set_rule() with the new name of the status, and ordcancel.drop_rule() with the old one.";
}

Refusal
refusal_explain(const RefusalDetail *names, const DecisionInput *input,
				const Decision *decision)
{
	Refusal r = {.condition = decision->condition,
				 .sqlstate = condition_sqlstate(decision->condition)};

	switch (decision->condition)
	{
		case CONDITION_CANCELLATION_FORBIDDEN:
			refusal_explain_forbidden(&r, names, input, decision->fault);
			break;
		case CONDITION_GRACE_PERIOD_OVER:
			refusal_explain_forbidden(&r, names, input, FAULT_NONE);
			r.detail = psprintf(
				"The customer's grace period of policy \"%s\" ended at %s.",
				input->policy->name,
				timestamptz_to_str(
					span_end(*input->placed_at, input->policy->grace)));
			break;
		case CONDITION_CANCELLATION_BLOCKED:
			explain_block(&r, names, decision->fault);
			break;
		case CONDITION_INVALID_REASON:
			refusal_explain_reason(&r, names, input, decision->fault);
			break;
		case CONDITION_NO_OPEN_CANCELLATION:
			r.message = psprintf("order %s of %s has no open cancellation",
								 names->order, names->table);
			r.detail = input->live == STATE_NONE ?
				NULL :
				psprintf("Its cancellation is in state \"%s\".",
						 state_name(input->live));
			if (input->verb == VERB_RECORD_REFUND &&
				input->live == STATE_CANCELED)
				r.hint =
					"If a refund has failed, pass a negative amount;"
					" if more is due, call ordcancel.adjust_refund() first.";
			break;
		case CONDITION_UNDO_NOT_ALLOWED:
			explain_undo(&r, names, input, decision->fault);
			break;
		case CONDITION_REFUND_NOT_SETTLED:
			refusal_explain_unsettled(&r, names, input, decision->fault);
			break;
		case CONDITION_INVALID_REFUND:
			refusal_explain_refund(&r, names, decision->fault);
			break;
		case CONDITION_ORDER_ON_HOLD:
			r.message = psprintf("order %s of %s is on hold", names->order,
								 names->table);
			explain_hold(&r, input, decision->fault);
			break;
		case CONDITION_ORDER_IS_CANCELED:
			explain_canceled(&r, names, input, decision->fault);
			break;
		case CONDITION_INVALID_POLICY:
			explain_policy(&r, names, input, decision->fault);
			break;
		case CONDITION_AMBIGUOUS_CANCELLATION:
			r.message = psprintf(
				"order %s of %s has several cancellations that could be meant",
				names->order, names->table);
			r.detail = psprintf("They are %s.", names->cancellations);
			r.hint = "Pass cancellation_id.";
			break;
		case CONDITION_ITEMS_NOT_AVAILABLE:
			explain_items(&r, names, input, decision->fault);
			break;
		default:
			elog(ERROR, "condition %d has no explanation",
				 decision->condition);
	}
	return r;
}
