/*
 * lifecycle_forget.c — erases persons from the records of an order
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/json.h"

#include "config/guc.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/transition.h"
#include "notify/announce.h"
#include "rows/archive.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/record.h"

/* The live cancellation, or else the newest one, also if that is of items. */
static void
find_record(CancelTarget *c)
{
	archive_lock(c->table->cancellation_table, ShareLock);
	archive_return(c);
	record_find(c, 1);
	c->has_record = c->any_record;
}

/*
 * Fills the target of an order that no longer exists from its record.  As there
 * is no order row to lock, the ID of the cancellation is locked, as sweep() does.
 */
static void
lock_record(CancelTarget *c)
{
	LOCKTAG tag;

	c->result = TARGET_OPEN;
	find_record(c);
	if (!c->has_record)
	{
		c->result = TARGET_NOT_FOUND;
		return;
	}
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, c->table->cancellation_table,
					   (uint32) c->record.id, 0);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	find_record(c);
	c->key_text = order_key_text(c->table, c->key);
	c->status = c->record.order_status;
}

static void
write_event(CancelTarget *c, const CancelArgs *args)
{
	StringInfoData data;
	Event		   event = {
				 .order = c,
				 .type = EVENT_FORGOTTEN,
				 .state = c->record.state,
				 .from = c->status,
				 .to = c->status,
				 .party = args->party,
				 .actor = args->actor,
				 .source = args->source,
				 .at = args->now,
	 };

	if (args->note)
	{
		initStringInfo(&data);
		appendStringInfoString(&data, "{\"note\":");
		escape_json(&data, args->note);
		appendStringInfoChar(&data, '}');
		event.data = data.data;
	}
	record_events(&event, 1);
	announce(c, &event);
}

void
lifecycle_forget(CancelTarget *c, CancelArgs *args, bool deleted, bool roles)
{
	Outcome *o = &c->outcome;

	order_lock(c, 1, false);
	if (c->result == TARGET_OPEN)
		find_record(c);
	else if (c->result == TARGET_NOT_FOUND && deleted)
		lock_record(c);
	if (c->result != TARGET_OPEN)
		return;

	args->now = guc_now();
	o->changed = record_forget(c, roles);
	if (o->changed)
	{
		transition_count++;
		write_event(c, args);
	}
	o->order_status = c->status;
	o->has_record = c->has_record;
	if (c->has_record)
	{
		o->cancellation_id = c->record.id;
		o->state = c->record.state;
		o->refund_due = c->record.refund_due;
		o->refunded = c->record.refunded;
		o->requested_at = c->record.requested_at;
		o->decided_at = c->record.decided_at;
		o->closed_at = c->record.closed_at;
	}
	c->result = TARGET_DONE;
}
