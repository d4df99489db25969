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

/* Are amount and method those of a recorded refund? */
static bool
is_same_refund(const CancelArgs *args, int scale, const RecordedRefund *past)
{
	if (past->amount == NULL ||
		!equal_or_both_null(args->method, past->method))
		return false;

	/* refund_scale may have been greater when it was recorded. */
	scale = Max(scale, money_scale(past->amount));
	return money_compare(money_round(args->amount, scale), past->amount) == 0;
}

/*
 * Looks for a refund with the same reference.  Returns AMOUNT_PART if there is
 * none.  A repeated refund is recognized even if nothing is due now.
 */
static AmountCheck
check_reference(CancelTarget *c, const CancelArgs *args)
{
	List	 *past = NIL;
	ListCell *lc;

	if (args->reference && c->any_record)
		past = record_find_refund(c, args->reference);

	foreach(lc, past)
		if (is_same_refund(args, c->table->refund_scale, lfirst(lc)))
		{
			/* Not of the cancellation that the call names: no repetition. */
			c->recorded = lfirst(lc);
			return args->cancellation_id &&
					args->cancellation_id != c->recorded->cancellation_id ?
				AMOUNT_OTHER_REFERENCE :
				AMOUNT_REPEATED;
		}
	if (past == NIL)
		return AMOUNT_PART;
	c->recorded = linitial(past);
	return AMOUNT_OTHER_REFERENCE;
}

static AmountCheck
check_amount(CancelTarget *c, CancelArgs *args)
{
	Numeric		due = c->record.refund_due;
	Numeric		sum;
	AmountCheck check;
	int			order;

	if (!args->has_amount || numeric_is_nan(args->amount) ||
		numeric_is_inf(args->amount) || !money_is_positive(args->amount))
		return AMOUNT_NOT_POSITIVE;
	check = check_reference(c, args);
	if (check != AMOUNT_PART || c->ambiguous)
		return check;
	if (due == NULL)
		return AMOUNT_TOO_HIGH;

	/* refund_due may have more digits, from when refund_scale was greater. */
	args->amount = money_round(args->amount,
							   Max(c->table->refund_scale, money_scale(due)));
	if (!money_is_positive(args->amount))
		return AMOUNT_NOT_POSITIVE;
	if (!refund_method_exists(args->method))
		return AMOUNT_UNKNOWN_METHOD;
	sum = c->record.refunded ? money_add(c->record.refunded, args->amount) :
							   args->amount;
	order = money_compare(sum, due);
	return order > 0 ? AMOUNT_TOO_HIGH :
		order == 0	 ? AMOUNT_LAST :
					   AMOUNT_PART;
}

/*
 * What was paid for the order, less what its parts have made due; NULL if
 * there is no refund_due expression.  It may be negative.
 */
static Numeric
paid_less_parts(const CancelTarget *c)
{
	Numeric paid;

	if (c->table->refund_due == NULL)
		return NULL;
	paid = c->refund_due ? c->refund_due : int64_to_numeric(0);
	paid = money_round(paid, c->table->refund_scale);
	return c->parts_due && !c->table->refund_due_net ?
		money_subtract(paid, c->parts_due) :
		paid;
}

/*
 * What the amounts of all canceled items, with those of this call, have fallen
 * by, less what is due for it already; NULL if items have no amount.
 */
static Numeric
drop_not_due(const CancelTarget *c)
{
	Numeric drop = c->items_drop;

	if (drop == NULL)
		return NULL;
	if (c->parts_drop)
		drop = money_add(drop, c->parts_drop);
	return c->parts_due ? money_subtract(drop, c->parts_due) : drop;
}

static Numeric
owed_for_items(const CancelTarget *c)
{
	Numeric paid = paid_less_parts(c);
	Numeric drop = drop_not_due(c);

	return paid && drop && money_compare(paid, drop) < 0 ? paid : drop;
}

/* NULL if refund_due is NULL for the order, as if it were not configured. */
static Numeric
owed_for_order(const CancelTarget *c)
{
	if (c->table->refund_due == NULL)
		return drop_not_due(c);
	return c->refund_due ? paid_less_parts(c) : NULL;
}

/*
 * Sets c->owed to what is due, less the refunds of earlier cancellations that
 * the customer still has.
 */
static void
compute_owed(CancelTarget *c, State live, bool part)
{
	Numeric kept = NULL;

	if (c->owed_known)
		return;
	c->owed_known = true;
	c->owed = part ? owed_for_items(c) : owed_for_order(c);
	if (c->owed == NULL)
		return;
	if (c->any_record && money_is_positive(c->owed) &&
		(live == STATE_NONE || record_has_earlier(c)))
		kept = record_kept_refunds(c);
	if (kept)
		c->owed = money_subtract(c->owed, kept);
	if (money_compare(c->owed, int64_to_numeric(0)) < 0)
		c->owed = int64_to_numeric(0);
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
	foreach(lc, c->parts)
	{
		const Cancellation *part = lfirst(lc);

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
		!status_means_state(c->kind, r->state);
	input->closed_at = r->closed_at;
	input->deadline = r->state == STATE_REQUESTED ? r->deadline : NULL;
	input->reason_on_record = live && r->reason != NULL;
	input->unsettled = verb == VERB_UNDO_CANCEL && live && r->refunded &&
		record_has_unsettled_refund(c->table, r->id);
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
	if (!c->expr_known && c->items_drop == NULL)
		return;
	if (verb_traits[input->verb].accepts && input->live <= STATE_REQUESTED)
	{
		compute_owed(c, input->live, decision_is_part(input));
		input->money_due = c->owed && money_is_positive(c->owed);
	}
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

/* The refund may be recorded for another cancellation of the order. */
static void
choose_repeated(CancelTarget *c)
{
	if (!record_find_id(c, c->recorded->cancellation_id))
		return;
	c->input.live = state_is_live(c->record.state) ? c->record.state :
													 STATE_NONE;
	c->input.last = state_is_live(c->record.state) ? STATE_NONE :
													 c->record.state;
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
	if (args->verb == VERB_RECORD_REFUND)
		input->amount = check_amount(c, args);
	if (input->amount == AMOUNT_REPEATED && OidIsValid(c->table->item_records))
		choose_repeated(c);
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
