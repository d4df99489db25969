/*
 * transition.c — writes cancellations and events, and announces them
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "base/money.h"
#include "lifecycle/transition.h"
#include "notify/announce.h"
#include "rows/item_row.h"
#include "rows/order_row.h"
#include "rows/record.h"

uint64 transition_count = 0;

static TimestampTz *
copy_time(TimestampTz at)
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

/* The key is a number if it is one integer, as callers would write it. */
static void
append_item(StringInfo data, const char *key, bool integer_key,
			Numeric quantity, Numeric refund_due, const char *reason)
{
	appendStringInfo(data, "%s{\"item\":", data->len ? "," : "[");
	if (integer_key)
		appendStringInfoString(data, key);
	else
		escape_json(data, key);
	appendStringInfo(data, ",\"quantity\":%s", money_text(quantity));
	if (refund_due)
		appendStringInfo(data, ",\"refund_due\":%s", money_text(refund_due));
	if (reason)
	{
		appendStringInfoString(data, ",\"reason\":");
		escape_json(data, reason);
	}
	appendStringInfoChar(data, '}');
}

/*
 * The items of the cancellation as a JSON array, or NULL: those that the call
 * means, else those on record.  Notes are not in events.
 */
static char *
items_data(const CancelTarget *c)
{
	StringInfoData data;
	ListCell	  *lc;

	if (!OidIsValid(c->table->item_records) ||
		(c->record.state == STATE_REQUESTED && !c->record.items))
		return NULL;
	initStringInfo(&data);
	foreach(lc, c->items)
	{
		const ItemTarget *item = lfirst(lc);

		if (item->meant && item->take)
			append_item(&data, item->key_text,
						item_key_is_integer(c->item_table),
						money_absolute(item->take),
						c->record.state == STATE_REQUESTED ? NULL : item->drop,
						item->reason);
	}
	if (data.len == 0)
		foreach(lc, record_items_of(c, c->record.id, READ_CURRENT))
		{
			const RecordItem *item = lfirst(lc);

			append_item(&data, item->item_key, item->integer_key,
						item->quantity, item->refund_due, item->reason);
		}
	if (data.len == 0)
		return NULL;
	appendStringInfoChar(&data, ']');
	return data.data;
}

static bool
is_end(EventType type)
{
	return type == EVENT_CANCELED || type == EVENT_ITEMS_CANCELED;
}

/* The data column of an event, without metadata: a JSON object, or NULL. */
static char *
event_data(const CancelTarget *c, const CancelArgs *args, EventType type,
		   const char *moved_to)
{
	StringInfoData data;

	initStringInfo(&data);
	if (args->verb == VERB_OVERRIDE_CANCEL)
		data_field(&data, "override", "true", false);
	if (args->verb == VERB_EXPIRE)
		data_field(&data, "timer", "true", false);
	if (args->batch)
		data_field(&data, "batch", psprintf(INT64_FORMAT, args->batch), false);
	if (type == EVENT_DENIED && args->verb == VERB_MOVE)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "moved_to", moved_to, true);
	}
	if (type == EVENT_DENIED && args->order_gone)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "order_gone", "true", false);
	}
	if (type == EVENT_ACCEPTED || (c->decision.owes && is_end(type)))
		data_field(&data, "refund_due", money_text(c->record.refund_due),
				   false);
	if (c->refund_wanted && (type == EVENT_ACCEPTED || is_end(type)))
		data_field(&data, "owed", money_text(c->record.refund_owed), false);
	if (type == EVENT_ADJUSTED)
	{
		data_field(&data, "refund_due", money_text(c->record.refund_due),
				   false);
		data_field(&data, "refund_due_before", money_text(c->due_before),
				   false);
		data_field(&data, "refunded", money_text(c->record.refunded), false);
		data_field(&data, "note", args->note, true);
	}
	if (type == EVENT_REFUNDED)
	{
		data_field(&data, "amount", money_text(args->amount), false);
		data_field(&data, "method", args->method, true);
		data_field(&data, "reference", args->reference, true);
		data_field(&data, "refunded", money_text(c->record.refunded), false);
		data_field(&data, "refund_due", money_text(c->record.refund_due),
				   false);
	}
	if (type == EVENT_UNDONE && args->settled)
		data_field(&data, "settled", "true", false);
	if (type != EVENT_REFUNDED && type != EVENT_ADJUSTED)
		data_field(&data, "items", items_data(c), false);
	if (data.len == 0)
		return NULL;
	appendStringInfoChar(&data, '}');
	return data.data;
}

static Event
make_event(CancelTarget *c, const CancelArgs *args, EventType type,
		   State state, const char *from, const char *to, bool first)
{
	return (Event){
		.order = c,
		.type = type,
		.state = state,
		.from = from,
		.to = to,
		.party = args->party,
		.actor = args->actor,
		.reason = args->reason ? args->reason : c->record.reason,
		.data = event_data(c, args, type, to),
		.metadata = args->metadata,
		.source = args->source,
		.request_key = first ? args->request_key : NULL,
		.at = args->now,
	};
}

/*
 * The refund due is fixed when the cancellation is accepted; adjust_refund can
 * change it.
 */
static void
set_refund_due(CancelTarget *c)
{
	c->record.refund_owed = c->owed;
	c->record.refund_due = c->owed && c->refund_wanted ? c->refund_wanted :
														 c->owed;
	if (c->input.money_due)
		c->record.refunded = int64_to_numeric(0);
}

/* A new cancellation: a request, or accepted at once. */
static void
begin_record(CancelTarget *c, const CancelArgs *args)
{
	const Decision *d = &c->decision;
	Cancellation   *r = &c->record;

	memset(r, 0, sizeof(Cancellation));
	r->state = d->state;
	r->items = d->part;
	r->requested_by = args->party;
	r->requested_actor = args->actor;
	r->reason = d->reason ? (char *) d->reason : args->reason;
	r->note = args->note;
	r->prior_status = c->status;
	r->order_status = (char *) c->next_status;
	r->policy = c->policy->name;
	r->request_key = args->request_key;
	r->metadata = args->metadata;
	r->requested_at = copy_time(args->now);
	if (d->state == STATE_REQUESTED)
	{
		if (c->policy->decision_timeout)
			r->deadline = copy_time(
				span_end(args->now, c->policy->decision_timeout));
		return;
	}
	r->decided = true;
	r->decided_by = args->party;
	r->decided_actor = args->actor;
	r->decided_at = r->requested_at;
	set_refund_due(c);
	if (d->state == STATE_CANCELED)
		r->closed_at = r->requested_at;
}

/* Later calls add to what the record has. */
static void
add_metadata(Cancellation *r, Jsonb *metadata)
{
	if (r->metadata && metadata)
		metadata = DatumGetJsonbP(
			DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(r->metadata),
								JsonbPGetDatum(metadata)));
	if (metadata)
		r->metadata = metadata;
}

static void
adjust_refund_due(CancelTarget *c, Numeric due)
{
	Cancellation *r = &c->record;

	c->due_before = r->refund_due;
	r->refund_due = r->refund_owed = due;
	if (r->refunded == NULL)
		r->refunded = int64_to_numeric(0);
}

/* The next step of a cancellation. */
static void
advance_record(CancelTarget *c, const CancelArgs *args)
{
	const Decision *d = &c->decision;
	Cancellation   *r = &c->record;

	if (args->verb == VERB_UNDO_CANCEL)
		r->undo_note = args->note;
	else if (args->verb != VERB_RECORD_REFUND &&
			 args->verb != VERB_ADJUST_REFUND)
		r->decision_note = args->note;
	add_metadata(r, args->metadata);

	if (d->accepts || d->state == STATE_DENIED)
	{
		r->decided = true;
		r->decided_by = args->party;
		r->decided_actor = args->actor;
		r->decided_at = copy_time(args->now);
	}
	if (d->accepts)
	{
		r->items = d->part;
		set_refund_due(c);

		/* The reason of the request remains in its event. */
		if (args->reason && (r->reason == NULL || args->party != PARTY_SYSTEM))
			r->reason = args->reason;
	}
	if (args->verb == VERB_RECORD_REFUND && args->has_amount)
		r->refunded = r->refunded ? money_add(r->refunded, args->amount) :
									args->amount;
	if (args->verb == VERB_ADJUST_REFUND && args->has_amount)
		adjust_refund_due(c, args->amount);
	if (d->state == STATE_REQUESTED || d->state == STATE_IN_PROGRESS)
		r->closed_at = NULL;
	else if (d->state != r->state)
		r->closed_at = copy_time(args->now);
	r->state = d->state;
	if (!d->ended)
		r->order_status = (char *) c->next_status;
}

/* Adds one or two events of a target to the list; returns how many. */
static int
make_events(CancelTarget *c, const CancelArgs *args, Event *list)
{
	const Decision *d = &c->decision;
	const char	   *from = c->status;
	EventType		step = !args->has_amount   ? EVENT_NONE :
			  args->verb == VERB_RECORD_REFUND ? EVENT_REFUNDED :
			  args->verb == VERB_ADJUST_REFUND ? EVENT_ADJUSTED :
												 EVENT_NONE;
	bool			completes = step != EVENT_NONE && d->event != step;
	int				n = 0;

	/* What has completed the cancellation is an event of its own. */
	if (completes)
		list[n++] = make_event(c, args, step, STATE_IN_PROGRESS, from, from,
							   true);
	list[n++] = make_event(c, args, d->event, d->state, from, c->next_status,
						   !completes);
	return n;
}

/* Is there no cancellation yet that is changed? */
static bool
begins(const CancelTarget *c)
{
	return c->input.live == STATE_NONE && !c->decision.ended;
}

void
transition_correct(CancelTarget *targets, int count)
{
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN && targets[i].also_set_changed &&
			targets[i].also_set_when != ALSO_SET_RESTORED)
		{
			order_also_set_changed(&targets[i]);
			record_update(&targets[i]);
		}
}

void
transition_write(CancelTarget *targets, int count, const CancelArgs *args)
{
	CancelTarget **begun = palloc(count * sizeof(CancelTarget *));
	Event		  *list = palloc(2 * count * sizeof(Event));
	int			   nbegun = 0;
	int			   nevents = 0;

	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		if (c->result != TARGET_OPEN)
			continue;
		transition_count++;
		if (begins(c))
		{
			begin_record(c, args);
			begun[nbegun++] = c;
		}
		else
			advance_record(c, args);
	}
	record_number(begun, nbegun);
	if (args->writes_orders)
		order_also_set(targets, count);
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		if (c->result != TARGET_OPEN || begins(c))
			continue;
		record_update(c);
		if (c->decision.accepts || args->verb == VERB_UNDO_CANCEL)
			record_update_items(c);
	}
	record_insert(begun, nbegun);
	if (args->verb != VERB_UNDO_CANCEL)
		record_insert_items(targets, count);
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
			nevents += make_events(&targets[i], args, &list[nevents]);
	record_events(list, nevents);
	for (int i = 0; i < nevents; i++)
		announce(list[i].order, &list[i]);
	pfree(list);
	pfree(begun);
}
