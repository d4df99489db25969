/*
 * decision_reason.c — checks the reason code and the note
 */
#include "postgres.h"

#include "decision/decision_rules.h"

Decision
decide_reason(const DecisionInput *input)
{
	/* The system needs no reason, and the one that it sets is not checked. */
	bool takes_reason = input->party != PARTY_SYSTEM &&
		verb_traits[input->verb].reason;
	bool needs_note = (verb_traits[input->verb].note &&
					   input->party != PARTY_SYSTEM) ||
		(input->verb == VERB_UNDO_CANCEL && denies(input));
	int	 note_max = NOTE_MAX_LENGTH;
	bool customer_requested = input->party == PARTY_CUSTOMER ||
		(input->live == STATE_REQUESTED &&
		 input->requested_by == PARTY_CUSTOMER);
	Fault fault = FAULT_NONE;

	if (input->skip_reason_check)
		return refused(CONDITION_NONE, FAULT_NONE);

	if (input->reason_given && takes_reason)
	{
		if (input->reason == NULL)
			fault = FAULT_REASON_UNKNOWN;
		else if (!input->reason->active)
			fault = FAULT_REASON_INACTIVE;
		else if (input->reason->audience != AUDIENCE_ANY &&
				 (int) input->reason->audience != (int) input->party)
			fault = FAULT_REASON_AUDIENCE;
		else if (input->reason->requires_request && !customer_requested)
			fault = FAULT_REASON_NEEDS_REQUEST;
		else
		{
			needs_note |= input->reason->requires_note;
			note_max = Min(note_max, input->reason->note_max);
		}
	}
	else if (takes_reason && input->policy->reason_required &&
			 !input->reason_on_record)
		fault = FAULT_REASON_MISSING;

	if (fault == FAULT_NONE && needs_note && input->note_length == 0)
		fault = FAULT_NOTE_MISSING;
	if (fault == FAULT_NONE && input->note_length > note_max)
		fault = FAULT_NOTE_TOO_LONG;

	return refused(fault == FAULT_NONE ? CONDITION_NONE :
										 CONDITION_INVALID_REASON,
				   fault);
}
