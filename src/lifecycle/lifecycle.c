/*
 * lifecycle.c — the steps of every change to a cancellation
 */
#include "postgres.h"

#include "utils/snapmgr.h"

#include "base/money.h"
#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/guc.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/lifecycle_items.h"
#include "lifecycle/lifecycle_steps.h"
#include "lifecycle/transition.h"
#include "rows/item_row.h"
#include "rows/order_row.h"
#include "rows/record.h"

/*
 * The outcome that the first call with the same request key had.  Raises OC011
 * if that was another call.
 */
static Outcome
recorded_outcome(CancelTarget *c, const CancelArgs *args,
				 const RecordedCall *past)
{
	Outcome		  o = {0};
	Cancellation *r = &c->record;

	if (!equal_or_both_null(past->order_key, c->key_text))
		refusal_raise_request_key(args->request_key,
								  "It was used for another order.");
	if (!equal_or_both_null(past->source, args->source))
		refusal_raise_request_key(args->request_key,
								  psprintf("It was used for %s.",
										   past->source ?
											   past->source :
											   "an unknown function"));

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
	/* It may have been canceled at once, with the refund to follow. */
	if (past->state == STATE_IN_PROGRESS ||
		(past->state == STATE_CANCELED && r->refund_due &&
		 money_is_positive(r->refund_due)))
		o.refunded = int64_to_numeric(0);
	return o;
}

static Outcome
outcome(const CancelTarget *c)
{
	const Cancellation *r = &c->record;
	Outcome				o = {0};

	o.changed = c->decision.changed;
	o.state = c->has_record ? r->state : c->decision.state;
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

/*
 * While the orders were written, a trigger has changed a cancellation.  Reads
 * the order and its cancellation again, so that the outcome is their final
 * state.  A trigger may end the cancellation, but must not leave the order
 * without one in the status that we wrote.
 */
static void
read_final_state(CancelTarget *c)
{
	CancelTarget newest = *c;

	record_reread(c);
	order_lock(c, 1, false);
	record_find(&newest, 1);
	if (c->decision.status &&
		equal_or_both_null(c->status, c->decision.status) &&
		(!newest.has_record || state_has_ended(newest.record.state)))
		ereport(
			ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg(
				 "a trigger changed the cancellation of order %s of %s while it was being written",
				 text_clip(c->key_text, 80), c->table->label),
			 errdetail(
				 "The state of the cancellation is \"%s\", and the status of the order is \"%s\".",
				 state_name(c->record.state), text_clip(c->status, 80))));
}

/*
 * Locks and reads the orders.  If the configuration has changed while we
 * waited for locks, reads them again, since the new rules apply.
 */
static void
lock_orders(CancelTarget *targets, int count, bool skip_locked)
{
	OrderTable *table = targets[0].table;
	uint64		changes = table->changes;

	order_lock(targets, count, skip_locked);
	table = order_table_find(table->relid);
	if (table == NULL ||
		(table == targets[0].table && table->changes == changes))
		return;
	for (int i = 0; i < count; i++)
		targets[i].table = table;
	order_lock(targets, count, skip_locked);
}

void
lifecycle_decide(CancelTarget *c, const CancelArgs *args)
{
	c->decision = decide(&c->input);
	if (c->decision.condition != CONDITION_NONE)
	{
		c->result = TARGET_REFUSED;
		c->outcome.refusal = decision_input_explain(c, args, NULL);
		return;
	}
	c->next_status = c->decision.status || c->decision.clear_status ?
		c->decision.status :
		c->status;
	if (c->decision.changed)
		return;

	/*
	 * An order can already be in the state without a cancellation of ours, for
	 * instance if it was imported.  Do not report an older one that has ended.
	 */
	if (c->has_record && c->record.state != c->decision.state)
		c->has_record = false;
	c->outcome = outcome(c);
	c->result = TARGET_DONE;
}

static bool
needs_expr(const CancelTarget *c)
{
	return order_expr_exist(c->table) &&
		decision_needs_expr(&c->input, c->table->nblocks > 0,
							c->table->refund_due != NULL);
}

void
lifecycle_decide_all(CancelTarget *targets, int count, CancelArgs *args,
					 bool preview)
{
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
			decision_input_from_args(&targets[i], args);
	lifecycle_items(targets, count, args, preview);
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
			targets[i].expr_needed = needs_expr(&targets[i]);
	order_expr_evaluate(targets, count);
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
		{
			decision_input_add_expr(&targets[i]);
			lifecycle_decide(&targets[i], args);
		}
}

void
lifecycle_carry_out(CancelTarget *targets, int count, CancelArgs *args)
{
	uint64 written;

	args->writes_orders = !args->order_gone;
	transition_write(targets, count, args);
	written = transition_count;
	item_update(targets, count);
	order_update_status(targets, count);
	transition_correct(targets, count, transition_count != written);
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		if (c->result != TARGET_OPEN)
			continue;
		if (transition_count != written)
			read_final_state(c);
		c->outcome = outcome(c);
		c->result = TARGET_DONE;
		if (c->closed)
			lifecycle_follow_part(c, args);
		if (c->decision.ended)
			lifecycle_kept_failed(c, args);
	}
}

/* If the request key was used before, finishes the target. */
static void
answer_repeated(CancelTarget *c, const CancelArgs *args)
{
	RecordedCall past;

	if (c->result != TARGET_OPEN || args->request_key == NULL ||
		!record_find_request_key(c->table, args->request_key, &past))
		return;
	c->outcome = recorded_outcome(c, args, &past);
	c->result = TARGET_DONE;
}

/* Those that begin a cancellation find an order that is canceled already. */
static bool
changes_canceled(Verb verb)
{
	return verb == VERB_UNDO_CANCEL || verb == VERB_RECORD_REFUND ||
		verb == VERB_ADJUST_REFUND;
}

static void
skip_unmatched(CancelTarget *targets, int count, const CancelArgs *args)
{
	for (int i = 0; i < count && args->matches; i++)
		if (targets[i].result == TARGET_OPEN &&
			!args->matches(&targets[i], args->matches_arg))
			targets[i].result = TARGET_SKIPPED;
}

void
lifecycle_run(CancelTarget *targets, int count, CancelArgs *args)
{
	lock_orders(targets, count, args->skip_locked);
	skip_unmatched(targets, count, args);
	args->now = guc_now(); /* not earlier: we may have waited for locks */
	for (int i = 0; i < count; i++)
		answer_repeated(&targets[i], args);
	record_find(targets, count);
	if (changes_canceled(args->verb))
		record_take_back(targets, count);
	lifecycle_choose(targets, count, args, READ_CURRENT);
	lifecycle_decide_all(targets, count, args, false);
	lifecycle_carry_out(targets, count, args);
}

void
lifecycle_preview(CancelTarget *targets, int count, CancelArgs *args)
{
	/* Keeps the rows until order_expr_evaluate fetches them again. */
	PushActiveSnapshot(GetTransactionSnapshot());
	order_read(targets, count, READ_CURRENT);
	args->now = guc_now();
	record_peek(targets, count);
	lifecycle_choose(targets, count, args, READ_CALLER);
	lifecycle_decide_all(targets, count, args, true);
	PopActiveSnapshot();
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
		{
			targets[i].outcome.changed = true;
			targets[i].outcome.state = targets[i].decision.state;
			targets[i].result = TARGET_DONE;
		}
}

Decision
lifecycle_check(CancelTarget *c, Verb verb, Party party, TimestampTz now)
{
	CancelArgs args = {.verb = verb, .party = party, .now = now};

	lifecycle_choose(c, 1, &args, READ_CALLER);
	decision_input_from_target(c, verb, party, now);
	c->input.skip_reason_check = true;
	c->input.amount = AMOUNT_PART;
	lifecycle_items_check(c, &args);
	if (!c->expr_known && needs_expr(c))
	{
		c->expr_needed = true;
		order_expr_evaluate(c, 1);
	}
	decision_input_add_expr(c);
	c->decision = decide(&c->input);
	return c->decision;
}

Decision
lifecycle_check_settled(CancelTarget *c)
{
	c->input.settled = true;
	c->decision = decide(&c->input);
	return c->decision;
}

Refusal
lifecycle_explain(const CancelTarget *c)
{
	CancelArgs none = {.verb = c->input.verb};

	return decision_input_explain(c, &none, NULL);
}

State
lifecycle_state(CancelTarget *c)
{
	record_find(c, 1);
	if (c->has_record && state_is_live(c->record.state) && !c->record.items)
		return c->record.state;
	return c->kind == STATUS_CANCELED ? STATE_CANCELED : STATE_NONE;
}
