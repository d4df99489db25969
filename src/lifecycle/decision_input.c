/*
 * decision_input.c — what is known of an order, put to the decision
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"

#include "base/money.h"
#include "base/text.h"
#include "config/reason_cache.h"
#include "lifecycle/decision_input.h"
#include "rows/record_read.h"

/* Characters, without blanks at the ends: a note of blanks is no note. */
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

/* Is it no more than the repetition of a refund? */
static bool
same_refund(const CancelArgs *args, int scale, const RecordedRefund *past)
{
	if (past->amount == NULL ||
		!equal_or_both_null(args->method, past->method))
		return false;

	/* The precision may have been a finer one then. */
	scale = Max(scale, money_scale(past->amount));
	return money_compare(money_round(args->amount, scale), past->amount) == 0;
}

/*
 * What the order's records say of the reference; AMOUNT_PART: nothing.  A
 * refund that was recorded with it before decides, not what is due by now.
 */
static AmountCheck
check_reference(CancelTarget *c, const CancelArgs *args)
{
	List	 *past = NIL;
	ListCell *lc;

	if (args->reference && c->has_record)
		past = record_find_refund(c, args->reference);
	foreach(lc, past)
		if (same_refund(args, c->table->refund_scale, lfirst(lc)))
			return AMOUNT_REPEATED;
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
	if (check != AMOUNT_PART)
		return check;
	if (due == NULL)
		return AMOUNT_TOO_HIGH;

	/* What was due in a finer precision can still be paid back to the end. */
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

/* Does the verb agree on a cancellation, or may it turn out to? */
static bool
may_owe(Verb verb)
{
	return verb == VERB_REQUEST_CANCEL || verb == VERB_CANCEL_ORDER ||
		verb == VERB_OVERRIDE_CANCEL || verb == VERB_ACCEPT_CANCEL ||
		verb == VERB_MOVE;
}

/*
 * What is to be paid back: what the expression says, less what the customer
 * has kept of earlier cancellations.
 */
static void
find_owed(CancelTarget *c, State live)
{
	Numeric kept = NULL;

	if (c->owed_known)
		return;
	c->owed_known = true;
	c->owed = NULL;
	if (c->refund_due == NULL)
		return;
	c->owed = money_round(c->refund_due, c->table->refund_scale);
	if (c->has_record && money_is_positive(c->owed) &&
		(live == STATE_NONE || record_has_earlier(c)))
		kept = record_kept_refunds(c);
	if (kept)
		c->owed = money_subtract(c->owed, kept);
	if (money_compare(c->owed, int64_to_numeric(0)) < 0)
		c->owed = int64_to_numeric(0);
}

/*
 * Is the status a word for the state?  It may have been renamed
 * since, and is no move of the order then.
 */
static bool
means_state(StatusKind kind, State state)
{
	return (state == STATE_REQUESTED && kind == STATUS_REQUESTED) ||
		(state == STATE_IN_PROGRESS && kind == STATUS_IN_PROGRESS) ||
		(state == STATE_CANCELED && kind == STATUS_CANCELED);
}

/* Puts what is known of the order and its cancellation into the question. */
void
decision_input_from_target(CancelTarget *c, Verb verb, Party party,
						   TimestampTz now)
{
	DecisionInput	   *q = &c->input;
	const Cancellation *r = &c->record;
	bool				live = c->has_record && state_is_live(r->state);

	memset(q, 0, sizeof(DecisionInput));
	q->verb = verb;
	q->party = party;
	q->now = now;
	q->policy = c->policy;
	q->status = c->status;
	q->kind = c->kind;
	q->placed_at = c->placed_at;
	q->live = live ? r->state : STATE_NONE;
	if (!c->has_record)
		return;
	q->last = live ? STATE_NONE : r->state;
	q->last_undone = r->undo_note != NULL;
	q->asked_by = r->requested_by;
	q->direct = r->decided && r->decided_by == r->requested_by &&
		r->requested_at && r->decided_at && *r->requested_at == *r->decided_at;
	q->prior_status = r->prior_status;
	q->moved_on = live && !equal_or_both_null(c->status, r->order_status) &&
		!means_state(c->kind, r->state);
	q->closed_at = r->closed_at;
	q->deadline = r->state == STATE_REQUESTED ? r->deadline : NULL;
	q->reason_on_record = live && r->reason != NULL;
}

void
decision_input_add_expr(CancelTarget *c)
{
	DecisionInput *q = &c->input;

	if (!c->expr_known)
		return;
	q->blocked = q->party == PARTY_CUSTOMER ? c->customer_block != NULL :
											  c->merchant_block != NULL;
	if (may_owe(q->verb) && q->live <= STATE_REQUESTED)
	{
		find_owed(c, q->live);
		q->money_due = c->owed && money_is_positive(c->owed);
	}
}

static void
put_words(DecisionInput *q, const CancelArgs *args)
{
	q->reason_given = args->reason != NULL;
	q->reason = args->reason ? reason_cache_find(args->reason) : NULL;
	q->note_length = note_length(args->note);
}

static void
drop_blank_note(CancelArgs *args)
{
	if (note_length(args->note) == 0)
		args->note = NULL;
}

/* As if the customer had asked: some reasons are only for that. */
bool
decision_input_check_reason(CancelArgs *args, Refusal *refusal)
{
	const Policy  none = {0};
	DecisionInput q = {.verb = args->verb,
					   .party = args->party,
					   .policy = &none,
					   .live = STATE_REQUESTED,
					   .asked_by = PARTY_CUSTOMER};
	RefusalDetail names = {.reason = args->reason};
	Decision	  v;

	drop_blank_note(args);
	put_words(&q, args);
	v = decide_reason(&q);
	if (v.condition == CONDITION_NONE)
		return true;
	*refusal = refusal_explain(&names, &q, &v);
	return false;
}

/* Adds what the caller said. */
void
decision_input_from_args(CancelTarget *c, CancelArgs *args)
{
	DecisionInput *q = &c->input;

	decision_input_from_target(c, args->verb, args->party, args->now);
	if (args->either_party && q->live == STATE_REQUESTED)
		q->party = args->party = q->asked_by;
	drop_blank_note(args);
	put_words(q, args);
	q->settled = args->settled;
	if (args->verb == VERB_UNDO_CANCEL && q->live != STATE_NONE &&
		c->record.refunded)
		q->unsettled = record_has_unsettled_refund(c->table, c->record.id);
	if (args->verb == VERB_RECORD_REFUND)
		q->amount = check_amount(c, args);
}

Refusal
decision_input_explain(const CancelTarget *c, const CancelArgs *args,
					   const char *to)
{
	const BlockRule *block = c->input.party == PARTY_CUSTOMER ?
		c->customer_block :
		c->merchant_block;
	RefusalDetail	 names = {
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
	   };

	return refusal_explain(&names, &c->input, &c->decision);
}
