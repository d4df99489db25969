/*
 * refusal_refund.c — message, DETAIL and HINT of refusals about money
 */
#include "postgres.h"

#include "base/text.h"
#include "decision/refusal_parts.h"

static void
explain_reference(Refusal *r, const RefusalDetail *names)
{
	r->message = psprintf(
		"refund reference \"%s\" of order %s of %s was used before",
		text_clip(names->reference, 80), names->order, names->table);
	r->detail = psprintf(
		"A refund of %s by \"%s\" is already recorded with this reference.",
		names->recorded_amount, names->recorded_method);
	r->hint =
		"Use a separate reference for each refund; repeat one only to retry the same refund.";
}

static void
explain_take_back(Refusal *r, const RefusalDetail *names)
{
	r->message = psprintf(
		"cannot take back %s of the refunds of order %s of %s",
		names->asked + (names->asked[0] == '-'), names->order, names->table);
	r->detail = names->reference == NULL ?
		psprintf("That much is not recorded without a reference by \"%s\".",
				 names->method ? text_clip(names->method, 80) : "") :
		psprintf(
			"That much is not recorded with reference \"%s\" and method \"%s\".",
			text_clip(names->reference, 80),
			names->method ? text_clip(names->method, 80) : "");
	r->hint =
		"Pass a negative amount with the reference and method of the refund that failed, "
		"and no more than what is left of it.";
}

/* The amount due that a call gives: the argument refund, or adjust_refund. */
static void
explain_due(Refusal *r, const RefusalDetail *names, Fault fault)
{
	if (fault == FAULT_DUE)
	{
		r->message = pstrdup(
			"amount due must be at least 0 and less than 10^18");
		return;
	}
	r->message = psprintf("amount due of order %s of %s cannot be %s",
						  names->order, names->table, names->asked);
	switch (fault)
	{
		case FAULT_DUE_TOO_LOW:
			r->detail = psprintf("%s is already refunded.", names->refunded);
			r->hint =
				"If a refund has failed, call ordcancel.record_refund() with a negative amount first.";
			break;
		case FAULT_DUE_TOO_HIGH:
			r->detail = psprintf("%s is due.", names->due);
			r->hint =
				"Pass at most what is due; to pay back more, call ordcancel.adjust_refund() afterwards.";
			break;
		default: /* FAULT_DUE_UNDECIDED */
			r->detail =
				"The call only requests the cancellation, and the amount is fixed when it is accepted.";
			r->hint = "Pass refund with the call that accepts it.";
			break;
	}
}

void
refusal_explain_refund(Refusal *r, const RefusalDetail *names, Fault fault)
{
	switch (fault)
	{
		case FAULT_AMOUNT:
			r->message = pstrdup("refund amount must be a positive number");
			break;
		case FAULT_METHOD:
			r->message = psprintf("refund method \"%s\" does not exist",
								  names->method ?
									  text_clip(names->method, 80) :
									  "");
			r->hint = "See ordcancel.refund_method for the valid methods.";
			break;
		case FAULT_REFERENCE:
			explain_reference(r, names);
			break;
		case FAULT_TAKE_BACK:
			explain_take_back(r, names);
			break;
		case FAULT_AMOUNT_TOO_HIGH:
			r->message = psprintf(
				"refund of order %s of %s exceeds the amount due",
				names->order, names->table);
			r->detail = psprintf("%s is due, of which %s is already refunded.",
								 names->due, names->refunded);
			r->hint = "If more is due, call ordcancel.adjust_refund() first.";
			break;
		default:
			explain_due(r, names, fault);
			break;
	}
}

/* The functions to call instead of a plain UPDATE to the canceled status. */
static char *
refund_hint(const DecisionInput *input)
{
	if (input->live == STATE_IN_PROGRESS)
		return "Call ordcancel.record_refund().";
	if (input->party == PARTY_CUSTOMER)
		return "Call ordcancel.request_cancel(); the order is canceled when the refunds are recorded.";
	return input->live == STATE_REQUESTED ?
		"Call ordcancel.accept_cancel(), then ordcancel.record_refund()." :
		"Call ordcancel.cancel_order(), then ordcancel.record_refund().";
}

void
refusal_explain_unsettled(Refusal *r, const RefusalDetail *names,
						  const DecisionInput *input, Fault fault)
{
	r->message = psprintf("refund of order %s of %s is not settled",
						  names->order, names->table);
	if (fault == FAULT_REFUND_DUE)
	{
		r->detail = psprintf("%s is due, of which %s is refunded.", names->due,
							 names->refunded);
		r->hint = refund_hint(input);
		return;
	}
	r->detail =
		"A refund was made by a method whose refunds must be recaptured or repaid.";
	r->hint = names->to ?
		"Recover the refund, then call ordcancel.undo_cancel(..., settled => true)." :
		"Recover the refund, then pass settled => true.";
}
