/*
 * question.c — what is known of an order, put to the decision
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"

#include "order_key.h"
#include "question.h"
#include "record.h"
#include "rules.h"

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

static AmountCheck
check_amount(const OrderCase *c, const Call *call)
{
	Numeric zero = int64_to_numeric(0);
	Numeric sum;
	int		order;

	if (!call->has_amount || numeric_is_nan(call->amount) ||
		numeric_is_inf(call->amount) ||
		numeric_compare(call->amount, zero) <= 0)
		return AMOUNT_NOT_POSITIVE;
	if (!refund_method_exists(call->method))
		return AMOUNT_UNKNOWN_METHOD;
	sum = numeric_plus(c->record.refunded ? c->record.refunded : zero,
					   call->amount);
	order = c->record.refund_due ? numeric_compare(sum, c->record.refund_due) :
								   1;
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
	q->placed_at = c->placed_at;
	q->blocked = party == PARTY_CUSTOMER ? c->customer_block != NULL :
										   c->merchant_block != NULL;
	q->money_due = c->refund_due &&
		numeric_compare(c->refund_due, int64_to_numeric(0)) > 0;
	if (!c->has_record)
		return;
	q->live = live ? r->state : STATE_NONE;
	q->last = live ? STATE_NONE : r->state;
	q->asked_by = r->requested_by;
	q->direct = r->decided && r->decided_by == r->requested_by &&
		r->requested_at && r->decided_at && *r->requested_at == *r->decided_at;
	q->prior_status = r->prior_status;
	q->moved_on = live && !same_text(c->status, r->order_status);
	q->closed_at = r->closed_at;
	q->deadline = r->state == STATE_REQUESTED ? r->deadline : NULL;
	q->reason_on_record = live && r->reason != NULL;
}

static void
put_words(Question *q, const Call *call)
{
	q->reason_given = call->reason != NULL;
	q->reason = call->reason ? reason_find(call->reason) : NULL;
	q->note_length = note_length(call->note);
}

/* As if the customer had asked: some reasons are only for that. */
bool
question_words_fit(const Call *call, Refusal *refusal)
{
	const Policy none = {0};
	Question	 q = {.verb = call->verb,
					  .party = call->party,
					  .policy = &none,
					  .live = STATE_REQUESTED,
					  .asked_by = PARTY_CUSTOMER};
	RefusalNames names = {.reason = call->reason};
	Verdict		 v;

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
	put_words(q, call);
	q->settled = call->settled;
	if (call->verb == VERB_UNDO_CANCEL && q->live != STATE_NONE &&
		c->record.refunded)
		q->unsettled = record_unsettled(c->table, c->record.id);
	if (call->verb == VERB_RECORD_REFUND && q->live == STATE_IN_PROGRESS)
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
			.due = numeric_text(c->record.refund_due ? c->record.refund_due :
													   c->refund_due),
			.refunded = numeric_text(c->record.refunded),
			.method = call->method,
	};

	return refusal_explain(&names, &c->question, &c->verdict);
}
