/*
 * lifecycle.c — the one way an order takes through a cancellation
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/fmgrprotos.h"
#include "utils/snapmgr.h"

#include "config/guc.h"
#include "config/policy_cache.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/transition.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/record_read.h"

/* The answer to a repeated call: what the first one was told. */
static Outcome
past_outcome(OrderCase *c, const Call *call, const PastCall *past)
{
	Outcome		  o = {0};
	Cancellation *r = &c->record;

	if (!same_text(past->order_key, c->key_text))
		refusal_raise_request_key(call->request_key,
								  "It was used for another order.");
	if (!same_text(past->source, call->source))
		refusal_raise_request_key(call->request_key,
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
	if (past->state == STATE_IN_PROGRESS)
		o.refunded = int64_to_numeric(0);
	return o;
}

static Outcome
outcome(const OrderCase *c)
{
	const Cancellation *r = &c->record;
	Outcome				o = {0};

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

/*
 * A trigger of the user has gone on from what we wrote, in our own call.  It
 * may deny or undo, but not so that the order is left in our status without a
 * cancellation.
 */
static void
follow_triggers(OrderCase *c)
{
	OrderCase now = *c;

	record_reread(c);
	order_lock(c, 1, false);
	record_find(&now, 1);
	if (c->verdict.status && same_text(c->status, c->verdict.status) &&
		(!now.has_record || now.record.state > STATE_CANCELED))
		ereport(
			ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg(
				 "a trigger changed the cancellation of order %s of %s while it was written",
				 shorten(c->key_text, 80), c->table->label),
			 errdetail("The cancellation is \"%s\", the order \"%s\".",
					   state_name(c->record.state), shorten(c->status, 80))));
}

/*
 * Locks the orders and reads them.  The rules are those of the moment when the
 * last lock was given, not of when it was asked for.
 */
static void
lock_with_rules(OrderCase *cases, int count, bool skip_locked)
{
	OrderTable *table = cases[0].table;
	uint64		heard = table->changes;

	order_lock(cases, count, skip_locked);
	table = order_table_find(table->relid);
	if (table == NULL || (table == cases[0].table && table->changes == heard))
		return;
	for (int i = 0; i < count; i++)
		cases[i].table = table;
	order_lock(cases, count, skip_locked);
}

/* Decides on an order of which all is known that is asked. */
static void
judge(OrderCase *c, const Call *call)
{
	c->verdict = decide(&c->question);
	if (c->verdict.condition != CONDITION_NONE)
	{
		c->result = CASE_REFUSED;
		c->outcome.refusal = question_explain(c, call, NULL);
		return;
	}
	c->next_status = c->verdict.status || c->verdict.clear_status ?
		c->verdict.status :
		c->status;
	if (c->verdict.changed)
		return;

	/* An old ended cancellation is not what an imported order has. */
	if (c->has_record && c->record.state != c->verdict.state)
		c->has_record = false;
	c->outcome = outcome(c);
	c->result = CASE_DONE;
}

static bool
needs_facts(const OrderCase *c)
{
	return order_has_facts(c->table) &&
		decide_needs_facts(&c->question, c->table->nblocks > 0,
						   c->table->refund_due != NULL);
}

static void
judge_all(OrderCase *cases, int count, Call *call)
{
	for (int i = 0; i < count; i++)
	{
		OrderCase *c = &cases[i];

		if (c->result != CASE_OPEN)
			continue;
		question_ask_call(c, call);
		c->facts_wanted = needs_facts(c);
	}
	order_facts(cases, count);
	for (int i = 0; i < count; i++)
		if (cases[i].result == CASE_OPEN)
		{
			question_put_facts(&cases[i]);
			judge(&cases[i], call);
		}
}

/* Writes what was decided: records, events, orders. */
static void
carry_out(OrderCase *cases, int count, Call *call)
{
	uint64 written;

	journal_write(cases, count, call);
	written = journal_count;
	order_write_status(cases, count);
	for (int i = 0; i < count; i++)
	{
		OrderCase *c = &cases[i];

		if (c->result != CASE_OPEN)
			continue;
		/* A trigger of the user may have gone on from there. */
		if (journal_count != written)
			follow_triggers(c);
		c->outcome = outcome(c);
		c->result = CASE_DONE;
	}
}

/* Answers a call whose key was used before. */
static void
answer_repeated(OrderCase *c, const Call *call)
{
	PastCall past;

	if (c->result != CASE_OPEN || call->request_key == NULL ||
		!record_find_request_key(c->table, call->request_key, &past))
		return;
	c->outcome = past_outcome(c, call, &past);
	c->result = CASE_DONE;
}

static void
skip_unwanted(OrderCase *cases, int count, const Call *call)
{
	for (int i = 0; i < count && call->wanted; i++)
		if (cases[i].result == CASE_OPEN &&
			!call->wanted(&cases[i], call->wanted_arg))
			cases[i].result = CASE_SKIPPED;
}

void
lifecycle_call(OrderCase *cases, int count, Call *call)
{
	lock_with_rules(cases, count, call->skip_locked);
	skip_unwanted(cases, count, call);
	call->now = settings_now(); /* not before: the lock may have taken long */
	for (int i = 0; i < count; i++)
		answer_repeated(&cases[i], call);
	record_find(cases, count);
	judge_all(cases, count, call);
	carry_out(cases, count, call);
}

void
lifecycle_preview(OrderCase *cases, int count, Call *call)
{
	/* Their facts are read from the same rows, which nothing else keeps. */
	PushActiveSnapshot(GetTransactionSnapshot());
	order_read(cases, count, SIGHT_NOW);
	call->now = settings_now();
	record_look(cases, count);
	judge_all(cases, count, call);
	PopActiveSnapshot();
	for (int i = 0; i < count; i++)
		if (cases[i].result == CASE_OPEN)
		{
			cases[i].outcome.changed = true;
			cases[i].outcome.state = cases[i].verdict.state;
			cases[i].result = CASE_DONE;
		}
}

/*
 * Not only locked, but gone with its partition, say.  A second look sees what
 * the statement that calls us has written of it.
 */
static bool
order_is_gone(const OrderCase *c)
{
	OrderCase again = {.table = c->table, .key = c->key};

	if (c->result != CASE_NOT_FOUND)
		return false;
	order_read(&again, 1, SIGHT_LATEST);
	return again.result == CASE_NOT_FOUND;
}

/*
 * Finds what is on record of an order that is gone.  There is no row to lock,
 * so two who end its request lock the cancellation's id; false: the other was
 * first.
 */
static bool
find_gone(OrderCase *c)
{
	LOCKTAG tag;

	c->result = CASE_OPEN;
	record_find(c, 1);
	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, c->table->cancellation_table,
					   (uint32) c->record.id, 0);
	if (LockAcquire(&tag, ExclusiveLock, false, true) == LOCKACQUIRE_NOT_AVAIL)
		return false;
	c->key_text = order_key_text(c->table, c->key);
	c->status = c->record.order_status;
	c->policy = order_table_policy(c->table, c->record.policy);
	c->kind = order_table_meaning(c->table, c->policy, c->status);
	return true;
}

void
lifecycle_overdue(OrderCase *c)
{
	Call call = {.party = PARTY_SYSTEM,
				 .source = "sweep",
				 .actor = "sweep",
				 .reason = "request_timed_out"};

	order_lock(c, 1, true);
	call.order_gone = order_is_gone(c);
	if (call.order_gone ? !find_gone(c) : c->result != CASE_OPEN)
		return;
	call.now = settings_now();
	record_find(c, 1);
	if (!c->has_record || c->record.state != STATE_REQUESTED ||
		c->record.deadline == NULL || *c->record.deadline > call.now ||
		c->policy->decision_timeout == NULL) /* it has no deadlines any more */
	{
		c->result = CASE_DONE;
		return;
	}
	call.verb = c->policy->accept_on_timeout && !call.order_gone ?
		VERB_ACCEPT_CANCEL :
		VERB_DENY_CANCEL;
	if (call.order_gone)
	{
		question_ask_call(c, &call); /* there are no facts to ask for */
		judge(c, &call);
		c->next_status = c->status;
	}
	else
		judge_all(c, 1, &call);
	carry_out(c, 1, &call);
}

State
lifecycle_state(OrderCase *c)
{
	record_find(c, 1);
	if (c->has_record && c->record.state <= STATE_CANCELED)
		return c->record.state;
	return c->kind == STATUS_CANCELED ? STATE_CANCELED : STATE_NONE;
}

Verdict
lifecycle_ask(OrderCase *c, Verb verb, Party party, TimestampTz now)
{
	question_ask(c, verb, party, now);
	c->question.words_unknown = true;
	c->question.amount = AMOUNT_PART;
	if (verb == VERB_UNDO_CANCEL && c->question.live != STATE_NONE &&
		c->record.refunded)
		c->question.unsettled = record_unsettled(c->table, c->record.id);
	if (!c->facts_known && needs_facts(c))
	{
		c->facts_wanted = true;
		order_facts(c, 1);
	}
	question_put_facts(c);
	c->verdict = decide(&c->question);
	return c->verdict;
}

Verdict
lifecycle_ask_settled(OrderCase *c)
{
	c->question.settled = true;
	c->verdict = decide(&c->question);
	return c->verdict;
}

Refusal
lifecycle_explain(const OrderCase *c)
{
	Call nothing = {.verb = c->question.verb};

	return question_explain(c, &nothing, NULL);
}

bool
lifecycle_change(OrderCase *c, Call *call, const char *to, StatusKind kind,
				 Refusal *refusal)
{
	record_find(c, 1);
	question_ask_call(c, call);
	c->facts_wanted = order_has_facts(c->table) &&
		decide_change_needs_facts(&c->question, to, kind,
								  c->table->nblocks > 0,
								  c->table->refund_due != NULL);
	order_facts(c, 1);
	question_put_facts(c);
	c->verdict = decide_change(&c->question, to, kind);
	call->verb = c->question.verb;
	if (call->verb == VERB_MOVE) /* they are for what a plain update begins */
		call->reason = call->note = NULL;

	/* Shipping goes on where plain updates may record nothing. */
	if (c->verdict.condition == CONDITION_NONE && c->verdict.changed &&
		!c->table->plain_updates)
	{
		c->verdict.condition = CONDITION_CANCELLATION_FORBIDDEN;
		c->verdict.fault = FAULT_PLAIN_UPDATES;
	}
	if (c->verdict.condition != CONDITION_NONE)
	{
		*refusal = question_explain(c, call, to);
		return false;
	}
	c->next_status = to;
	if (c->verdict.changed)
		journal_write(c, 1, call);
	return true;
}

/*
 * A new order has no cancellation, unless canceled orders may be deleted: one
 * must not come back under the key of a canceled one.
 */
bool
lifecycle_row_has_record(OrderTable *table, Verb verb)
{
	return verb == VERB_DELETE || order_table_canceled_deletable(table);
}

bool
lifecycle_row(OrderCase *c, Call *call, Refusal *refusal)
{
	if (lifecycle_row_has_record(c->table, call->verb))
		record_find(c, 1);
	question_ask(c, call->verb, call->party, call->now);
	c->verdict = decide(&c->question);
	if (c->verdict.condition == CONDITION_NONE)
		return true;
	*refusal = question_explain(c, call, NULL);
	return false;
}
