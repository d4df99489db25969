/*
 * lifecycle_overdue.c — deciding a request whose deadline has passed
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"

#include "base/read_snapshot.h"
#include "config/guc.h"
#include "config/policy_cache.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/lifecycle_steps.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/record_read.h"

/*
 * Not only locked, but gone with its partition, say.  A second look sees what
 * the statement that calls us has written of it.
 */
static bool
order_is_gone(const CancelTarget *c)
{
	CancelTarget again = {.table = c->table, .key = c->key};

	if (c->result != TARGET_NOT_FOUND)
		return false;
	order_read(&again, 1, READ_LATEST);
	return again.result == TARGET_NOT_FOUND;
}

/*
 * Finds what is on record of an order that is gone.  There is no row to lock,
 * so two who end its request lock the cancellation's id; false: the other was
 * first.
 */
static bool
find_gone(CancelTarget *c)
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
	if (args.order_gone ? !find_gone(c) : c->result != TARGET_OPEN)
		return;
	args.now = guc_now();
	record_find(c, 1);
	if (!c->has_record || c->record.state != STATE_REQUESTED ||
		c->record.deadline == NULL || *c->record.deadline > args.now ||
		c->policy->decision_timeout == NULL) /* it has no deadlines any more */
	{
		c->result = TARGET_DONE;
		return;
	}
	args.verb = c->policy->accept_on_timeout && !args.order_gone ?
		VERB_ACCEPT_CANCEL :
		VERB_DENY_CANCEL;
	if (args.order_gone)
	{
		decision_input_from_args(c, &args); /* there are no facts to ask for */
		lifecycle_judge(c, &args);
		c->next_status = c->status;
	}
	else
		lifecycle_judge_all(c, 1, &args);
	lifecycle_carry_out(c, 1, &args);
}
