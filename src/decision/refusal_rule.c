/*
 * refusal_rule.c — messages about what rules and reasons forbid
 */
#include "postgres.h"

#include "base/text.h"
#include "decision/refusal_parts.h"

void
refusal_explain_forbidden(Refusal *r, const RefusalDetail *names,
						  const DecisionInput *input, Fault fault)
{
	const Rule *rule = policy_rule(input->policy, input->status);
	const char *status = quoted_or_null(input->status);
	const char *party = party_name(input->party);

	if (names->to)
		r->message = psprintf(
			"status of order %s of %s cannot change from %s to %s",
			names->order, names->table, status, quoted_or_null(names->to));
	else if (input->verb == VERB_DELETE || input->verb == VERB_INSERT)
		r->message = psprintf("order %s of %s cannot be %s in status %s",
							  names->order, names->table,
							  verb_traits[input->verb].participle, status);
	else if (fault == FAULT_OWN_REQUEST || fault == FAULT_OTHERS_REQUEST)
		r->message = psprintf(
			"cancellation request of order %s of %s cannot be %s by the %s",
			names->order, names->table, verb_traits[input->verb].participle,
			party);
	else
		r->message = psprintf(
			"order %s of %s cannot be canceled by the %s in status %s",
			names->order, names->table, party, status);

	switch (fault)
	{
		case FAULT_NO_RULE:
			r->detail = psprintf("Policy \"%s\" has no rule for status %s.",
								 input->policy->name, status);
			r->hint =
				"Call ordcancel.set_rule() for the status if it should be allowed.";
			break;
		case FAULT_RULE:
			r->detail = psprintf(
				input->verb == VERB_DELETE ?
					"The rule of policy \"%s\" for status %s does not allow deleting it." :
					"The rule of policy \"%s\" for status %s forbids it.",
				input->policy->name, status);
			r->hint =
				"Call ordcancel.cancel_options() to see what is allowed.";
			break;
		case FAULT_REQUEST_REQUIRED:
			r->detail = psprintf(
				"Policy \"%s\" only lets the %s request a cancellation in status %s.",
				input->policy->name, party, status);
			r->hint = input->policy->requested_status ?
				psprintf(
					"Set the status to \"%s\", or call a function of ordcancel instead.",
					input->policy->requested_status) :
				"Call ordcancel.request_cancel() or ordcancel.cancel_order().";
			break;
		case FAULT_REQUEST_NOT_REQUIRED:
			r->detail = psprintf(
				"Policy \"%s\" lets the %s cancel without a request in status %s.",
				input->policy->name, party, status);
			if (input->party == PARTY_MERCHANT)
				r->hint =
					"To act as the customer, SET LOCAL ordcancel.party = 'customer' first.";
			break;
		case FAULT_ALREADY_REQUESTED:
			r->detail = psprintf(
				"A cancellation is already requested, and the %s cannot decide it.",
				party);
			break;
		case FAULT_PLAIN_UPDATES:
			r->detail = input->verb == VERB_MOVE ?
				"It would deny the open request, and the table was attached with plain_updates => false." :
				"The table was attached with plain_updates => false.";
			r->hint = input->verb != VERB_MOVE ?
				"Call a function of ordcancel instead." :
				input->requested_by == input->party ?
				"Call ordcancel.withdraw_cancel() first." :
				"Call ordcancel.deny_cancel() first.";
			break;
		case FAULT_OTHER_STATUS:
			r->detail = psprintf(
				"The rules of policy \"%s\" require another status.",
				input->policy->name);
			r->hint = "Call a function of ordcancel instead.";
			break;
		case FAULT_OWN_REQUEST:
			r->detail = psprintf("The %s made the request.", party);
			r->hint = "Call ordcancel.withdraw_cancel().";
			break;
		case FAULT_OTHERS_REQUEST:
			r->detail = psprintf("The %s made the request.",
								 party_name(input->requested_by));
			r->hint = input->party == PARTY_MERCHANT ?
				"Call ordcancel.deny_cancel()." :
				NULL;
			break;
		case FAULT_OPEN:
			r->detail = input->live == STATE_CANCELED ?
				"A refund of its cancellation is due." :
				"The order has an open cancellation.";
			r->hint = input->live == STATE_REQUESTED ?
				"Decide or withdraw the request first." :
				"Call ordcancel.record_refund() first, or ordcancel.undo_cancel().";
			break;
		case FAULT_NO_RECORD:
			r->detail = psprintf(
				"Policy \"%s\" uses this status for open cancellations, and the order has none.",
				input->policy->name);
			r->hint =
				"Insert the order in its previous status, then request the cancellation.";
			break;
		default:
			break;
	}
	if (input->verb == VERB_DELETE && fault != FAULT_OPEN)
		r->hint =
			"Orders can be deleted only in a status whose rule has deletable => true.";
	if (rule && rule->hint && fault != FAULT_PLAIN_UPDATES &&
		fault != FAULT_OPEN)
		r->hint = rule->hint;
}

void
refusal_explain_reason(Refusal *r, const RefusalDetail *names,
					   const DecisionInput *input, Fault fault)
{
	const char *reason = names->reason ? text_clip(names->reason, 80) : "";
	int			note_max = input->reason ?
				Min(input->reason->note_max, NOTE_MAX_LENGTH) :
				NOTE_MAX_LENGTH;

	r->hint = "See ordcancel.reason for the valid reasons.";
	switch (fault)
	{
		case FAULT_REASON_MISSING:
			r->message = "a cancellation reason is required";
			r->detail = psprintf("Policy \"%s\" requires one.",
								 input->policy->name);
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
				"cancellation reason \"%s\" cannot be used by the %s", reason,
				party_name(input->party));
			break;
		case FAULT_REASON_NEEDS_REQUEST:
			r->message = psprintf(
				"cancellation reason \"%s\" requires a request by the customer",
				reason);
			r->detail = "The customer has not requested this cancellation.";
			break;
		case FAULT_NOTE_MISSING:
			r->message = input->reason && input->reason->requires_note ?
				psprintf("cancellation reason \"%s\" requires a note",
						 reason) :
				psprintf("%s requires a note", verb_name(input->verb));
			if (input->verb == VERB_UNDO_CANCEL)
				r->detail = psprintf(
					"Undoing it denies the request of the %s.",
					party_name(input->requested_by));
			r->hint = psprintf("Pass a note of 1 to %d characters.", note_max);
			break;
		default:
			r->message = "note is too long";
			r->detail = psprintf("It has %d characters; the maximum is %d.",
								 input->note_length, note_max);
			r->hint = NULL;
			break;
	}
}
