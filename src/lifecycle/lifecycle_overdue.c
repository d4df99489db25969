/*
 * lifecycle_overdue.c — decides requests whose deadline has passed
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "base/read_snapshot.h"
#include "config/guc.h"
#include "config/policy_cache.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/lifecycle_items.h"
#include "lifecycle/lifecycle_steps.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/record.h"

/*
 * Does the order not exist, rather than being locked?  It may have been in a
 * partition that was dropped, for instance.  order_lock does not find it
 * either if the statement that called us has updated it; READ_LATEST does.
 */
static bool
order_is_gone(const CancelTarget *c)
{
	CancelTarget latest = {.table = c->table, .key = c->key};

	if (c->result != TARGET_NOT_FOUND)
		return false;
	order_read(&latest, 1, READ_LATEST);
	return latest.result == TARGET_NOT_FOUND;
}

/*
 * Fills the target of an order that no longer exists from its cancellation.
 * There is no order row to lock, so the ID of the cancellation is locked
 * instead.  Returns false if another session has that lock.
 */
static bool
fill_from_record(CancelTarget *c)
{
	LOCKTAG tag;

	c->result = TARGET_OPEN;
	record_find(c, 1);
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, c->table->cancellation_table,
					   (uint32) c->record.id, 0);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	c->key_text = order_key_text(c->table, c->key);
	c->status = c->record.order_status;
	c->policy = policy_cache_get(c->table, c->record.policy);
	c->kind = policy_cache_status_kind(c->table, c->policy, c->status);
	return true;
}

void
lifecycle_overdue(CancelTarget *c)
{
	CancelArgs args = {.party = PARTY_SYSTEM,
					   .source = "sweep",
					   .actor = "sweep",
					   .reason = "request_timed_out"};

	order_lock(c, 1, true);
	args.order_gone = order_is_gone(c);
	if (args.order_gone ? !fill_from_record(c) : c->result != TARGET_OPEN)
		return;
	args.now = guc_now();
	record_find(c, 1);
	lifecycle_choose(c, 1, &(CancelArgs){.verb = VERB_ACCEPT_CANCEL},
					 READ_CURRENT);
	if (!c->has_record || c->record.state != STATE_REQUESTED ||
		c->record.deadline == NULL || *c->record.deadline > args.now ||
		c->policy->decision_timeout == NULL) /* policy was changed */
	{
		c->result = TARGET_DONE;
		return;
	}
	args.verb = c->policy->accept_on_timeout && !args.order_gone ?
		VERB_ACCEPT_CANCEL :
		VERB_DENY_CANCEL;
	if (args.order_gone)
	{
		/* without an order row, no expressions can be evaluated */
		decision_input_from_args(c, &args);
		lifecycle_decide(c, &args);
		c->next_status = c->status;
	}
	else
		lifecycle_decide_all(c, 1, &args, false);
	lifecycle_carry_out(c, 1, &args);
}
