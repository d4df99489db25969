/*
 * question.c — what is known of an order, put to the decision
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "config/policy_load.h"
#include "lifecycle/decision_input.h"
#include "rows/order_key.h"
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

Numeric
numeric_plus(Numeric a, Numeric b)
{
	return DatumGetNumeric(DirectFunctionCall2(numeric_add, NumericGetDatum(a),
											   NumericGetDatum(b)));
}

static int
numeric_compare(Numeric a, Numeric b)
{
	return DatumGetInt32(DirectFunctionCall2(numeric_cmp, NumericGetDatum(a),
											 NumericGetDatum(b)));
}

static bool
is_positive(Numeric number)
{
	return numeric_compare(number, int64_to_numeric(0)) > 0;
}

static int
scale_of(Numeric number)
{
	if (numeric_is_nan(number) || numeric_is_inf(number))
		return 0;
	return DatumGetInt32(
		DirectFunctionCall1(numeric_scale, NumericGetDatum(number)));
}

/* In the precision of money, half up; what is no finer stays as it is. */
static Numeric
money(Numeric number, int scale)
{
	if (scale_of(number) <= scale)
		return number;
	return DatumGetNumeric(DirectFunctionCall2(numeric_round,
											   NumericGetDatum(number),
											   Int32GetDatum(scale)));
}

/* Is it no more than the repetition of a refund? */
static bool
same_refund(const Call *call, int scale, const PastRefund *past)
{
	if (past->amount == NULL || !same_text(call->method, past->method))
		return false;

	/* The precision may have been a finer one then. */
	scale = Max(scale, scale_of(past->amount));
	return numeric_compare(money(call->amount, scale), past->amount) == 0;
}

/*
 * What the order's records say of the reference; AMOUNT_PART: nothing.  A
 * refund that was recorded with it before decides, not what is due by now.
 */
static AmountCheck
check_reference(OrderCase *c, const Call *call)
{
	List	 *past = NIL;
	ListCell *lc;

	if (call->reference && c->has_record)
		past = record_find_refund(c, call->reference);
	foreach(lc, past)
		if (same_refund(call, c->table->refund_scale, lfirst(lc)))
			return AMOUNT_REPEATED;
	if (past == NIL)
		return AMOUNT_PART;
	c->recorded = linitial(past);
	return AMOUNT_OTHER_REFERENCE;
}

static AmountCheck
check_amount(OrderCase *c, Call *call)
{
	Numeric		due = c->record.refund_due;
	Numeric		sum;
	AmountCheck check;
	int			order;

	if (!call->has_amount || numeric_is_nan(call->amount) ||
		numeric_is_inf(call->amount) || !is_positive(call->amount))
		return AMOUNT_NOT_POSITIVE;
	check = check_reference(c, call);
	if (check != AMOUNT_PART)
		return check;
	if (due == NULL)
		return AMOUNT_TOO_HIGH;

	/* What was due in a finer precision can still be paid back to the end. */
	call->amount = money(call->amount,
						 Max(c->table->refund_scale, scale_of(due)));
	if (!is_positive(call->amount))
		return AMOUNT_NOT_POSITIVE;
	if (!refund_method_exists(call->method))
		return AMOUNT_UNKNOWN_METHOD;
	sum = c->record.refunded ? numeric_plus(c->record.refunded, call->amount) :
							   call->amount;
	order = numeric_compare(sum, due);
	return order > 0 ? AMOUNT_TOO_HIGH :
		order == 0	 ? AMOUNT_LAST :
					   AMOUNT_PART;
}

static bool
is_live(State state)
{
	return state == STATE_REQUESTED || state == STATE_IN_PROGRESS ||
		state == STATE_CANCELED;
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
find_owed(OrderCase *c, State live)
{
	Numeric kept = NULL;

	if (c->owed_known)
		return;
	c->owed_known = true;
	c->owed = NULL;
	if (c->refund_due == NULL)
		return;
	c->owed = money(c->refund_due, c->table->refund_scale);
	if (c->has_record && is_positive(c->owed) &&
		(live == STATE_NONE || record_has_earlier(c)))
		kept = record_kept(c);
	if (kept)
		c->owed = DatumGetNumeric(DirectFunctionCall2(numeric_sub,
													  NumericGetDatum(c->owed),
													  NumericGetDatum(kept)));
	if (numeric_compare(c->owed, int64_to_numeric(0)) < 0)
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
question_ask(OrderCase *c, Verb verb, Party party, TimestampTz now)
{
	Question		   *q = &c->question;
	const Cancellation *r = &c->record;
	bool				live = c->has_record && is_live(r->state);

	memset(q, 0, sizeof(Question));
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
	q->moved_on = live && !same_text(c->status, r->order_status) &&
		!means_state(c->kind, r->state);
	q->closed_at = r->closed_at;
	q->deadline = r->state == STATE_REQUESTED ? r->deadline : NULL;
	q->reason_on_record = live && r->reason != NULL;
}

void
question_put_facts(OrderCase *c)
{
	Question *q = &c->question;

	if (!c->facts_known)
		return;
	q->blocked = q->party == PARTY_CUSTOMER ? c->customer_block != NULL :
											  c->merchant_block != NULL;
	if (may_owe(q->verb) && q->live <= STATE_REQUESTED)
	{
		find_owed(c, q->live);
		q->money_due = c->owed && is_positive(c->owed);
	}
}

static void
put_words(Question *q, const Call *call)
{
	q->reason_given = call->reason != NULL;
	q->reason = call->reason ? reason_find(call->reason) : NULL;
	q->note_length = note_length(call->note);
}

static void
drop_blank_note(Call *call)
{
	if (note_length(call->note) == 0)
		call->note = NULL;
}

/* As if the customer had asked: some reasons are only for that. */
bool
question_words_fit(Call *call, Refusal *refusal)
{
	const Policy none = {0};
	Question	 q = {.verb = call->verb,
					  .party = call->party,
					  .policy = &none,
					  .live = STATE_REQUESTED,
					  .asked_by = PARTY_CUSTOMER};
	RefusalNames names = {.reason = call->reason};
	Verdict		 v;

	drop_blank_note(call);
	put_words(&q, call);
	v = decide_words(&q);
	if (v.condition == CONDITION_NONE)
		return true;
	*refusal = refusal_explain(&names, &q, &v);
	return false;
}

/* Adds what the caller said. */
void
question_ask_call(OrderCase *c, Call *call)
{
	Question *q = &c->question;

	question_ask(c, call->verb, call->party, call->now);
	if (call->either_party && q->live == STATE_REQUESTED)
		q->party = call->party = q->asked_by;
	drop_blank_note(call);
	put_words(q, call);
	q->settled = call->settled;
	if (call->verb == VERB_UNDO_CANCEL && q->live != STATE_NONE &&
		c->record.refunded)
		q->unsettled = record_unsettled(c->table, c->record.id);
	if (call->verb == VERB_RECORD_REFUND)
		q->amount = check_amount(c, call);
}

char *
numeric_text(Numeric number)
{
	return number ?
		DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(number))) :
		"0";
}

Refusal
question_explain(const OrderCase *c, const Call *call, const char *to)
{
	const BlockRule *block = c->question.party == PARTY_CUSTOMER ?
		c->customer_block :
		c->merchant_block;
	RefusalNames	 names = {
			.table = c->table->label,
			.order = shorten(c->key_text, 80),
			.to = to,
			.block = block ? block->name : NULL,
			.block_hint = block ? block->hint : NULL,
			.reason = call->reason,
			.due = numeric_text(c->question.live == STATE_NONE ||
										c->record.refund_due == NULL ?
									c->owed :
									c->record.refund_due),
			.refunded = numeric_text(
				c->question.live == STATE_NONE ? NULL : c->record.refunded),
			.method = call->method,
			.reference = call->reference,
			.recorded_amount = c->recorded ? numeric_text(c->recorded->amount) :
											 NULL,
			.recorded_method = c->recorded && c->recorded->method ?
				c->recorded->method :
				"",
	};

	return refusal_explain(&names, &c->question, &c->verdict);
}
