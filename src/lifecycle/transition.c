/*
 * transition.c — writes cancellations and events, and announces them
 */
#include "postgres.h"

#include "utils/fmgrprotos.h"
#include "utils/timestamp.h"

#include "base/money.h"
#include "lifecycle/event_data.h"
#include "lifecycle/transition.h"
#include "notify/announce.h"
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
	c->record.refund_kept = c->kept;
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

#define METADATA_MAX_SIZE 65536 /* in bytes, of a record */

/* Later calls add to what the record has. */
static void
add_metadata(Cancellation *r, Jsonb *metadata)
{
	if (r->metadata && metadata)
		metadata = DatumGetJsonbP(
			DirectFunctionCall2(jsonb_concat, JsonbPGetDatum(r->metadata),
								JsonbPGetDatum(metadata)));
	if (metadata == NULL)
		return;
	if (r->metadata && VARSIZE(metadata) > METADATA_MAX_SIZE)
		ereport(
			ERROR,
			(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
			 errmsg("metadata is too long"),
			 errdetail(
				 "Together with that of earlier calls it has %zu bytes; the maximum is %d.",
				 (Size) VARSIZE(metadata), METADATA_MAX_SIZE)));
	r->metadata = metadata;
}

static void
adjust_refund_due(CancelTarget *c, Numeric due)
{
	Cancellation *r = &c->record;

	c->due_before = r->refund_due;
	r->refund_due = due;
	r->refund_owed = c->lost ? money_add(r->refund_owed, c->lost) : due;
	if (c->lost)
		r->refund_kept = money_subtract(r->refund_kept, c->lost);
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
	if (d->state == STATE_IN_PROGRESS && r->state == STATE_CANCELED &&
		r->first_closed_at == NULL)
		r->first_closed_at = r->closed_at;
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
transition_correct(CancelTarget *targets, int count, bool changed)
{
	for (int i = 0; i < count; i++)
	{
		CancelTarget   *c = &targets[i];
		struct varlena *ours = c->record.prior_values;

		if (c->result != TARGET_OPEN || !c->also_set_changed ||
			c->also_set_when == ALSO_SET_RESTORED)
			continue;
		if (changed)
			record_reread(c);
		if (!c->has_record)
			continue;
		order_also_set_changed(c, ours);
		record_update(c);
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
