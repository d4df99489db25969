/*
 * journal.c — what a decision leaves behind: cancellation, event, notification
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "lifecycle/decision_input.h"
#include "lifecycle/transition.h"
#include "notify/announce.h"
#include "rows/record_read.h"

uint64 journal_count = 0;

static TimestampTz *
instant(TimestampTz at)
{
	TimestampTz *copy = palloc(sizeof(TimestampTz));

	*copy = at;
	return copy;
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
	if (call->batch)
		data_field(&data, "batch", psprintf(INT64_FORMAT, call->batch), false);
	if (type == EVENT_DENIED && call->verb == VERB_MOVE)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "moved_to", moved_to, true);
	}
	if (type == EVENT_DENIED && call->order_gone)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "order_gone", "true", false);
	}
	if (type == EVENT_ACCEPTED)
		data_field(&data, "refund_due", numeric_text(c->record.refund_due),
				   false);
	if (type == EVENT_REFUNDED)
	{
		data_field(&data, "amount", numeric_text(call->amount), false);
		data_field(&data, "method", call->method, true);
		data_field(&data, "reference", call->reference, true);
		data_field(&data, "refunded", numeric_text(c->record.refunded), false);
		data_field(&data, "refund_due", numeric_text(c->record.refund_due),
				   false);
	}
	if (type == EVENT_UNDONE && call->settled)
		data_field(&data, "settled", "true", false);
	if (data.len == 0)
		return NULL;
	appendStringInfoChar(&data, '}');
	return data.data;
}

static Event
make_event(OrderCase *c, const Call *call, EventType type, State state,
		   const char *from, const char *to, bool first)
{
	return (Event){
		.order = c,
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
}

/* What is due is settled when the cancellation is agreed on. */
static void
owe_refund(OrderCase *c)
{
	c->record.refund_due = c->owed;
	if (c->question.money_due)
		c->record.refunded = int64_to_numeric(0);
}

/* A cancellation begins: asked for, or done at once. */
static void
begin_record(OrderCase *c, const Call *call)
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
	r->order_status = (char *) c->next_status;
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
advance_record(OrderCase *c, const Call *call)
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

		/* The asker's stays in the event of the ask. */
		if (call->reason && (r->reason == NULL || call->party != PARTY_SYSTEM))
			r->reason = call->reason;
	}
	if (call->verb == VERB_RECORD_REFUND)
		r->refunded = r->refunded ? numeric_plus(r->refunded, call->amount) :
									call->amount;
	if (v->state != STATE_REQUESTED && v->state != STATE_IN_PROGRESS)
		r->closed_at = instant(call->now);
	r->state = v->state;
	r->order_status = (char *) c->next_status;
}

/* The events of one order's step; returns how many. */
static int
make_events(OrderCase *c, const Call *call, Event *list)
{
	const Verdict *v = &c->verdict;
	const char	  *from = c->status;
	bool		   last_refund = call->verb == VERB_RECORD_REFUND &&
		v->event == EVENT_CANCELED;
	int n = 0;

	if (last_refund)
		list[n++] = make_event(c, call, EVENT_REFUNDED, STATE_IN_PROGRESS,
							   from, from, true);
	list[n++] = make_event(c, call, v->event, v->state, from, c->next_status,
						   !last_refund);
	return n;
}

void
journal_write(OrderCase *cases, int count, const Call *call)
{
	OrderCase **begun = palloc(count * sizeof(OrderCase *));
	Event	   *list = palloc(2 * count * sizeof(Event));
	int			nbegun = 0;
	int			nevents = 0;

	for (int i = 0; i < count; i++)
	{
		OrderCase *c = &cases[i];

		if (c->result != CASE_OPEN)
			continue;
		journal_count++;
		if (c->question.live == STATE_NONE)
		{
			begin_record(c, call);
			begun[nbegun++] = c;
		}
		else
		{
			advance_record(c, call);
			record_update(c);
		}
	}
	record_insert(begun, nbegun);
	for (int i = 0; i < count; i++)
		if (cases[i].result == CASE_OPEN)
			nevents += make_events(&cases[i], call, &list[nevents]);
	record_events(list, nevents);
	for (int i = 0; i < nevents; i++)
		announce(list[i].order, &list[i]);
	pfree(list);
	pfree(begun);
}
