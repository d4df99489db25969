/*
 * decision_refund.c — decides record_refund and adjust_refund
 */
#include "postgres.h"

#include "decision/decision_rules.h"

/* The cancellation stays in its state. */
static Decision
stay(const DecisionInput *input, EventType event)
{
	return (Decision){.changed = true,
					  .state = input->live,
					  .part = input->part,
					  .event = event};
}

/*
 * Something is due again of a cancellation that may have been completed.  With
 * settlement after_canceled, only the amount changes.
 */
static Decision
due_again(const DecisionInput *input, EventType event)
{
	Decision decision = stay(input, event);

	if (input->live == STATE_IN_PROGRESS || input->refund_open ||
		input->policy->settle_after)
		return decision;
	decision.state = STATE_IN_PROGRESS;
	if (!input->part && !input->moved_on)
		decision.status = input->policy->in_progress_status;
	return decision;
}

/* Nothing more is due.  "event" is for what has led to it. */
static Decision
complete(const DecisionInput *input, EventType event)
{
	DecisionInput paid = *input;

	if (input->live == STATE_CANCELED)
		return stay(input, event);
	if (!input->part && input->part_open && !input->policy->settle_after)
	{
		Decision decision = stay(input, event);

		decision.changed = input->amount != AMOUNT_SETTLED;
		return decision;
	}
	paid.money_due = false; /* decision_needs.c tries both */
	return reach_canceled(&paid, customer_alone(input), input->part);
}

/*
 * A refund that was recorded has failed.  After undo_cancel, it only counts
 * for what the customer still has.
 */
static Decision
decide_take_back(const DecisionInput *input)
{
	if (disagrees(input))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	if (input->live == STATE_NONE)
		return (Decision){.changed = true,
						  .ended = true,
						  .state = input->last,
						  .part = input->part,
						  .event = EVENT_REFUNDED};
	return due_again(input, EVENT_REFUNDED);
}

Decision
decide_refund(const DecisionInput *input)
{
	/*
	 * Before the state is looked at: a repeated refund gets the same answer
	 * even after the cancellation has ended.
	 */
	if (input->amount == AMOUNT_REPEATED)
		return already(input->live != STATE_NONE ? input->live : input->last);
	if (input->amount == AMOUNT_OTHER_REFERENCE)
		return refused(CONDITION_INVALID_REFUND, FAULT_REFERENCE);
	if (input->amount == AMOUNT_NOT_RECORDED)
		return refused(CONDITION_INVALID_REFUND, FAULT_TAKE_BACK);
	if (input->amount == AMOUNT_TAKEN_BACK)
		return decide_take_back(input);
	if (input->amount == AMOUNT_UNSETTLED)
		return due_again(input, EVENT_ACCEPTED);
	if (input->ambiguous)
		return refused(CONDITION_AMBIGUOUS_CANCELLATION, FAULT_NONE);
	if (input->live != STATE_IN_PROGRESS &&
		!(input->live == STATE_CANCELED && input->refund_open))
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (disagrees(input))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	switch (input->amount)
	{
		case AMOUNT_PART:
			return stay(input, EVENT_REFUNDED);
		case AMOUNT_LAST:
		case AMOUNT_SETTLED:
			return complete(input, EVENT_REFUNDED);
		case AMOUNT_TOO_HIGH:
			return refused(CONDITION_INVALID_REFUND, FAULT_AMOUNT_TOO_HIGH);
		case AMOUNT_UNKNOWN_METHOD:
			return refused(CONDITION_INVALID_REFUND, FAULT_METHOD);
		default:
			return refused(CONDITION_INVALID_REFUND, FAULT_AMOUNT);
	}
}

Decision
decide_adjust(const DecisionInput *input)
{
	Decision decision;

	if (input->ambiguous)
		return refused(CONDITION_AMBIGUOUS_CANCELLATION, FAULT_NONE);
	if (input->live != STATE_IN_PROGRESS && input->live != STATE_CANCELED)
		return refused(CONDITION_NO_OPEN_CANCELLATION, FAULT_NONE);
	if (disagrees(input))
		return refused(CONDITION_ORDER_IS_CANCELED, FAULT_DISAGREES);
	decision = decide_reason(input);
	if (decision.condition != CONDITION_NONE)
		return decision;
	switch (input->amount)
	{
		case AMOUNT_REPEATED:
			return already(input->live);
		case AMOUNT_PART:
			return due_again(input, EVENT_ADJUSTED);
		case AMOUNT_LAST:
			return complete(input, EVENT_ADJUSTED);
		case AMOUNT_TOO_LOW:
			return refused(CONDITION_INVALID_REFUND, FAULT_DUE_TOO_LOW);
		default:
			return refused(CONDITION_INVALID_REFUND, FAULT_DUE);
	}
}
