/*
 * lifecycle.c — the one way an order takes through a cancellation
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "announce.h"
#include "lifecycle.h"
#include "order_row.h"
#include "record.h"
#include "rules.h"
#include "settings.h"

/* Counts what is written, so that a verb notices when user code wrote more. */
static uint64 writes = 0;

static TimestampTz *
instant(TimestampTz at)
{
	TimestampTz *copy = palloc(sizeof(TimestampTz));

	*copy = at;
	return copy;
}

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

static Numeric
numeric_op(PGFunction function, Numeric a, Numeric b)
{
	return DatumGetNumeric(
		DirectFunctionCall2(function, NumericGetDatum(a), NumericGetDatum(b)));
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
	sum = numeric_op(numeric_add,
					 c->record.refunded ? c->record.refunded : zero,
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
static void
ask(OrderCase *c, Verb verb, Party party, TimestampTz now)
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
	q->moved_on = live &&
		(c->status == NULL || r->order_status == NULL ||
		 strcmp(c->status, r->order_status) != 0);
	q->closed_at = r->closed_at;
	q->deadline = r->state == STATE_REQUESTED ? r->deadline : NULL;
	q->reason_on_record = live && r->reason != NULL;
}

/* Adds what the caller said. */
static void
ask_with_words(OrderCase *c, Call *call)
{
	Question *q = &c->question;

	ask(c, call->verb, call->party, call->now);
	if (call->either_party && q->live == STATE_REQUESTED)
		q->party = call->party = q->asked_by;
	q->reason_given = call->reason != NULL;
	q->reason = call->reason ? reason_find(call->reason) : NULL;
	q->note_length = note_length(call->note);
	q->settled = call->settled;
	if (call->verb == VERB_UNDO_CANCEL && q->live != STATE_NONE &&
		c->record.refunded)
		q->unsettled = record_unsettled(c->table, c->record.id);
	if (call->verb == VERB_RECORD_REFUND && q->live == STATE_IN_PROGRESS)
		q->amount = check_amount(c, call);
}

static char *
numeric_text(Numeric number)
{
	return number ?
		DatumGetCString(
			DirectFunctionCall1(numeric_out, NumericGetDatum(number))) :
		"0";
}

static Refusal
explain(const OrderCase *c, const Call *call, const char *to)
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

static void
data_field(StringInfo data, const char *name, const char *value, bool quoted)
{
	if (value == NULL)
		return;
	appendStringInfo(data, "%s\"%s\":", data->len ? "," : "{", name);
	if (quoted)
		escape_json(data, value);
	else
		appendStringInfoString(data, value);
}

/* What an event tells beyond its columns. */
static char *
event_data(const OrderCase *c, const Call *call, EventType type,
		   const char *moved_to)
{
	StringInfoData data;

	initStringInfo(&data);
	if (call->verb == VERB_OVERRIDE_CANCEL)
		data_field(&data, "override", "true", false);
	if (type == EVENT_DENIED && call->verb == VERB_MOVE)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "moved_to", moved_to, true);
	}
	if (type == EVENT_ACCEPTED)
		data_field(&data, "refund_due", numeric_text(c->record.refund_due),
				   true);
	if (type == EVENT_REFUNDED)
	{
		data_field(&data, "amount", numeric_text(call->amount), true);
		data_field(&data, "method", call->method, true);
		data_field(&data, "reference", call->reference, true);
		data_field(&data, "refunded", numeric_text(c->record.refunded), true);
		data_field(&data, "refund_due", numeric_text(c->record.refund_due),
				   true);
	}
	if (type == EVENT_UNDONE && call->settled)
		data_field(&data, "settled", "true", false);
	if (data.len == 0)
		return NULL;
	appendStringInfoChar(&data, '}');
	return data.data;
}

static void
write_event(OrderCase *c, const Call *call, EventType type, State state,
			const char *from, const char *to, bool first)
{
	Event event = {
		.type = type,
		.state = state,
		.from = from,
		.to = to,
		.party = call->party,
		.actor = call->actor,
		.reason = call->reason ? call->reason : c->record.reason,
		.data = event_data(c, call, type, to),
		.source = call->source,
		.request_key = first ? call->request_key : NULL,
		.at = call->now,
	};

	record_event(c, &event);
	announce(c, &event);
}

/* What is due is settled when the cancellation is agreed on. */
static void
owe_refund(OrderCase *c)
{
	c->record.refund_due = c->refund_due;
	if (c->question.money_due)
		c->record.refunded = int64_to_numeric(0);
}

/* A cancellation begins: asked for, or done at once. */
static void
begin_record(OrderCase *c, const Call *call, const char *order_status)
{
	const Verdict *v = &c->verdict;
	Cancellation  *r = &c->record;

	memset(r, 0, sizeof(Cancellation));
	r->state = v->state;
	r->requested_by = call->party;
	r->requested_actor = call->actor;
	r->reason = call->reason;
	r->note = call->note;
	r->prior_status = c->status;
	r->order_status = (char *) order_status;
	r->policy = c->policy->name;
	r->request_key = call->request_key;
	r->requested_at = instant(call->now);
	if (v->state == STATE_REQUESTED)
	{
		if (c->policy->decision_timeout)
			r->deadline = instant(
				span_end(call->now, c->policy->decision_timeout));
		return;
	}
	r->decided = true;
	r->decided_by = call->party;
	r->decided_actor = call->actor;
	r->decided_at = r->requested_at;
	owe_refund(c);
	if (v->state == STATE_CANCELED)
		r->closed_at = r->requested_at;
}

/* A cancellation goes on, or ends. */
static void
advance_record(OrderCase *c, const Call *call, const char *order_status)
{
	const Verdict *v = &c->verdict;
	Cancellation  *r = &c->record;

	if (call->verb == VERB_UNDO_CANCEL)
		r->undo_note = call->note;
	else if (call->verb != VERB_RECORD_REFUND)
		r->decision_note = call->note;

	if (v->accepts || v->state == STATE_DENIED)
	{
		r->decided = true;
		r->decided_by = call->party;
		r->decided_actor = call->actor;
		r->decided_at = instant(call->now);
	}
	if (v->accepts)
	{
		owe_refund(c);
		if (r->reason == NULL)
			r->reason = call->reason;
	}
	if (call->verb == VERB_RECORD_REFUND)
		r->refunded = r->refunded ?
			numeric_op(numeric_add, r->refunded, call->amount) :
			call->amount;
	if (v->state != STATE_REQUESTED && v->state != STATE_IN_PROGRESS)
		r->closed_at = instant(call->now);
	r->state = v->state;
	r->order_status = (char *) order_status;
}

/*
 * Writes the cancellation and its events.  "to" is the status that the order
 * has afterwards, whoever gives it.
 */
static void
write_record(OrderCase *c, const Call *call, const char *to)
{
	const Verdict *v = &c->verdict;
	const char	  *from = c->status;
	bool		   last_refund = call->verb == VERB_RECORD_REFUND &&
		v->event == EVENT_CANCELED;

	writes++;
	if (c->question.live == STATE_NONE)
	{
		begin_record(c, call, to);
		record_insert(c);
	}
	else
	{
		advance_record(c, call, to);
		record_update(c);
	}
	if (last_refund)
		write_event(c, call, EVENT_REFUNDED, STATE_IN_PROGRESS, from, from,
					true);
	write_event(c, call, v->event, v->state, from, to, !last_refund);
}

/* The answer to a repeated call: what the first one was told. */
static Outcome
past_outcome(OrderCase *c, const Call *call, const PastCall *past)
{
	Outcome		  o = {.result = CASE_DONE};
	Cancellation *r = &c->record;

	if (strcmp(past->order_key, c->key_text) != 0)
		refusal_raise_request_key(call->request_key,
								  psprintf("It was used for order %s.",
										   shorten(past->order_key, 80)));
	if (strcmp(past->source, call->source) != 0)
		refusal_raise_request_key(call->request_key,
								  psprintf("It was used for %s.",
										   past->source));

	r->id = past->cancellation_id;
	record_reread(c);
	o.has_record = true;
	o.cancellation_id = past->cancellation_id;
	o.state = past->state;
	o.order_status = past->order_status;
	o.requested_at = r->requested_at;
	if (past->state != STATE_REQUESTED)
	{
		o.decided_at = r->decided_at;
		o.refund_due = r->refund_due;
	}
	if (past->state == STATE_CANCELED)
		o.closed_at = past->at;
	return o;
}

static Outcome
outcome(const OrderCase *c)
{
	const Cancellation *r = &c->record;
	Outcome				o = {.result = CASE_DONE};

	o.changed = c->verdict.changed;
	o.state = c->has_record ? r->state : c->verdict.state;
	o.order_status = c->status;
	o.has_record = c->has_record;
	if (c->has_record)
	{
		o.cancellation_id = r->id;
		o.refund_due = r->refund_due;
		o.refunded = r->refunded;
		o.requested_at = r->requested_at;
		o.decided_at = r->decided_at;
		o.closed_at = r->closed_at;
	}
	return o;
}

Outcome
lifecycle_call(OrderCase *c, Call *call)
{
	PastCall	past;
	uint64		written;
	const char *to;

	if (!order_lock(c))
		return (Outcome){.result = CASE_NOT_FOUND};
	call->now = settings_now(); /* not before: the lock may have taken long */
	if (call->request_key &&
		record_find_request_key(c->table, call->request_key, &past))
		return past_outcome(c, call, &past);

	record_find(c);
	order_facts(c);
	ask_with_words(c, call);
	c->verdict = decide(&c->question);
	if (c->verdict.condition != CONDITION_NONE)
		return (Outcome){.result = CASE_REFUSED,
						 .refusal = explain(c, call, NULL)};
	if (!c->verdict.changed)
	{
		/* An old ended cancellation is not what an imported order has. */
		if (c->has_record && c->record.state != c->verdict.state)
			c->has_record = false;
		return outcome(c);
	}

	to = c->verdict.status ? c->verdict.status : c->status;
	write_record(c, call, to);
	written = writes;
	if (c->verdict.status &&
		(c->status == NULL || strcmp(c->status, c->verdict.status) != 0))
		order_write_status(c, c->verdict.status);

	/* A trigger of the user may have gone on from there. */
	if (writes != written)
	{
		record_reread(c);
		order_lock(c);
	}
	return outcome(c);
}

Verdict
lifecycle_ask(OrderCase *c, Verb verb, Party party, TimestampTz now)
{
	ask(c, verb, party, now);
	c->question.words_unknown = true;
	c->question.amount = AMOUNT_PART;
	if (verb == VERB_UNDO_CANCEL && c->question.live != STATE_NONE &&
		c->record.refunded)
		c->question.unsettled = record_unsettled(c->table, c->record.id);
	c->verdict = decide(&c->question);
	return c->verdict;
}

Refusal
lifecycle_explain(const OrderCase *c)
{
	Call nothing = {.verb = c->question.verb};

	return explain(c, &nothing, NULL);
}

bool
lifecycle_change(OrderCase *c, Call *call, const char *to, StatusKind kind,
				 Refusal *refusal)
{
	record_find(c);
	if (kind != STATUS_ORDINARY)
		order_facts(c);
	ask_with_words(c, call);
	c->verdict = decide_change(&c->question, to, kind);
	call->verb = c->question.verb;
	if (kind == STATUS_ORDINARY)
		call->reason = NULL; /* it is for what a plain update begins */

	/* Shipping goes on where cancelling by plain updates is switched off. */
	if (c->verdict.condition == CONDITION_NONE && c->verdict.changed &&
		!c->table->plain_updates && call->verb != VERB_MOVE)
	{
		c->verdict.condition = CONDITION_CANCELLATION_FORBIDDEN;
		c->verdict.fault = FAULT_PLAIN_UPDATES;
	}
	if (c->verdict.condition != CONDITION_NONE)
	{
		*refusal = explain(c, call, to);
		return false;
	}
	if (c->verdict.changed)
		write_record(c, call, to);
	return true;
}

bool
lifecycle_row(OrderCase *c, Call *call, Refusal *refusal)
{
	if (call->verb == VERB_DELETE)
		record_find(c);
	ask(c, call->verb, call->party, call->now);
	c->verdict = decide(&c->question);
	if (c->verdict.condition == CONDITION_NONE)
		return true;
	*refusal = explain(c, call, NULL);
	return false;
}
