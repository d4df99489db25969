/*
 * decision_input.c — collects what a decision depends on, and explains it
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/money.h"
#include "base/text.h"
#include "config/reason_cache.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/decision_money.h"
#include "rows/record.h"

/* In characters, without white space at both ends. */
static int
note_length(const char *note)
{
	int length;

	if (note == NULL)
		return 0;
	while (*note == ' ' || *note == '\t' || *note == '\n' || *note == '\r')
		note++;
	length = strlen(note);
	while (length > 0 && strchr(" \t\n\r", note[length - 1]))
		length--;
	return pg_mbstrlen_with_len(note, length);
}

/*
 * Does the status mean this state?  If so, a status that differs from the
 * recorded one was only renamed in the policy.
 */
static bool
status_means_state(StatusKind kind, State state)
{
	return (state == STATE_REQUESTED && kind == STATUS_REQUESTED) ||
		(state == STATE_IN_PROGRESS && kind == STATUS_IN_PROGRESS) ||
		(state == STATE_CANCELED && kind == STATUS_CANCELED);
}

void
decision_input_from_target(CancelTarget *c, Verb verb, Party party,
						   TimestampTz now)
{
	DecisionInput	   *input = &c->input;
	const Cancellation *r = &c->record;
	bool				live = c->has_record && state_is_live(r->state);
	ListCell		   *lc;

	memset(input, 0, sizeof(DecisionInput));
	input->verb = verb;
	input->party = party;
	input->now = now;
	input->policy = c->policy;
	input->plain_updates = c->table->plain_updates;
	input->status = c->status;
	input->kind = c->kind;
	input->placed_at = c->placed_at;
	input->since = c->table->status_since.attnum ? c->status_since :
												   c->placed_at;
	input->live = live ? r->state : STATE_NONE;
	input->ambiguous = c->ambiguous != NULL;
	input->closed = c->closed;
	input->money_open = live && decision_money_is_due(r);
	foreach(lc, c->parts)
	{
		const Cancellation *part = lfirst(lc);

		input->money_open |= decision_money_is_due(part);
		input->part_open |= part->state == STATE_IN_PROGRESS &&
			!(c->has_record && part->id == r->id);
	}
	if (!c->has_record)
		return;
	input->part = r->items;
	input->last = live ? STATE_NONE : r->state;
	input->last_undone = r->undo_note != NULL;
	input->requested_by = r->requested_by;
	input->direct = r->decided && r->decided_by == r->requested_by &&
		r->requested_at && r->decided_at && *r->requested_at == *r->decided_at;
	input->prior_status = r->prior_status;
	input->moved_on = live &&
		!equal_or_both_null(c->status, r->order_status) &&
		!status_means_state(c->kind, r->state) &&
		!(r->state == STATE_CANCELED &&
		  status_is_closed(c->policy, c->status));
	input->closed_at = r->closed_at;
	input->first_closed_at = r->first_closed_at;
	input->deadline = r->state == STATE_REQUESTED ? r->deadline : NULL;
	input->refund_open = decision_money_is_due(r);
	input->reason_on_record = live && r->reason != NULL;
	input->unsettled = verb == VERB_UNDO_CANCEL && live && r->refunded &&
		record_has_unsettled_refund(c);
}

void
decision_input_add_items(CancelTarget *c)
{
	DecisionInput *input = &c->input;

	input->same_items = c->items_same;
	input->items = c->items_check;
	input->takes_all = c->items_all;
	input->fulfilled = c->items_fulfilled;
}

void
decision_input_add_expr(CancelTarget *c)
{
	DecisionInput *input = &c->input;

	if (c->expr_known)
		input->blocked = input->party == PARTY_CUSTOMER ?
			c->customer_block != NULL :
			c->merchant_block != NULL;
	if (verb_traits[input->verb].accepts && input->live <= STATE_REQUESTED)
		decision_money_set_due(c);
}

static void
set_reason_and_note(DecisionInput *input, const CancelArgs *args)
{
	input->reason_given = args->reason != NULL;
	input->reason = args->reason ? reason_cache_find(args->reason) : NULL;
	input->note_length = note_length(args->note);
}

static void
drop_blank_note(CancelArgs *args)
{
	if (note_length(args->note) == 0)
		args->note = NULL;
}

/* Assumes an open request by the customer: some reasons are valid only then. */
bool
decision_input_check_reason(CancelArgs *args, Refusal *refusal)
{
	const Policy  none = {0};
	DecisionInput input = {.verb = args->verb,
						   .party = args->party,
						   .policy = &none,
						   .live = STATE_REQUESTED,
						   .requested_by = PARTY_CUSTOMER};
	RefusalDetail detail = {.reason = args->reason};
	Decision	  decision;

	drop_blank_note(args);
	set_reason_and_note(&input, args);
	decision = decide_reason(&input);
	if (decision.condition == CONDITION_NONE)
		return true;
	*refusal = refusal_explain(&detail, &input, &decision);
	return false;
}

void
decision_input_from_args(CancelTarget *c, CancelArgs *args)
{
	DecisionInput *input = &c->input;

	decision_input_from_target(c, args->verb, args->party, args->now);
	if (args->either_party && input->live == STATE_REQUESTED)
		input->party = args->party = input->requested_by;
	drop_blank_note(args);
	set_reason_and_note(input, args);
	input->settled = args->settled;
	c->refund_wanted = args->refund;
	if (args->verb == VERB_RECORD_REFUND || args->verb == VERB_ADJUST_REFUND)
		decision_money_check_amount(c, args);
}

Refusal
decision_input_explain(const CancelTarget *c, const CancelArgs *args,
					   const char *to)
{
	const BlockRule *block = c->input.party == PARTY_CUSTOMER ?
		c->customer_block :
		c->merchant_block;
	RefusalDetail	 detail = {
		   .table = c->table->label,
		   .order = text_clip(c->key_text, 80),
		   .to = to,
		   .block = block ? block->name : NULL,
		   .block_hint = block ? block->hint : NULL,
		   .reason = args->reason,
		   .due = money_text(c->input.live == STATE_NONE ||
									 c->record.refund_due == NULL ?
								 c->owed :
								 c->record.refund_due),
		   .refunded = money_text(
			   c->input.live == STATE_NONE ? NULL : c->record.refunded),
		   .method = args->method,
		   .reference = args->reference,
		   .asked = c->refund_wanted ? money_text(c->refund_wanted) :
			   args->has_amount		 ? money_text(args->amount) :
									   NULL,
		   .recorded_amount = c->recorded ? money_text(c->recorded->amount) :
											NULL,
		   .recorded_method = c->recorded && c->recorded->method ?
			   c->recorded->method :
			   "",
		   .items = c->items_detail,
		   .cancellations = c->ambiguous,
	   };

	return refusal_explain(&detail, &c->input, &c->decision);
}
