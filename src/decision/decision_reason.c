/*
 * decision_reason.c — will the reason and the note do?
 */
#include "postgres.h"

#include "decision/decision_rules.h"

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
