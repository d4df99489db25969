/*
 * guard_child.c — the trigger on child tables, such as shipments or payments
 *
 * It refuses rows for an order that is canceled or being canceled.  It locks
 * the order FOR NO KEY UPDATE, as a cancellation does, so that one of two
 * concurrent transactions sees the other.  The KEY SHARE lock of a foreign key
 * does not conflict with a cancellation.  FOR SHARE would, but two shipments
 * of one order would deadlock when both go on to update the order.
 *
 * With refuse_when, only a row that begins to meet the condition is checked, so
 * most writes neither lock nor read an order.
 */
#include "postgres.h"

#include "access/table.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/rel.h"

#include "base/text.h"
#include "base/trigger_call.h"
#include "config/child_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/guard_child.h"
#include "lifecycle/lifecycle.h"
#include "rows/child_row.h"
#include "rows/order_row.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_child);

/* A written row, and what it was before an UPDATE. */
typedef struct ChildWrite
{
	TriggerData *trigger;
	bool		 update;
	ChildRow	 is;
	ChildRow	 was;
} ChildWrite;

void
guard_child_refuse(TriggerData *trigger, const CancelTarget *c, State state,
				   const ChildGuard *guard)
{
	Condition	condition = state == STATE_REQUESTED ?
		  CONDITION_ORDER_ON_HOLD :
		  CONDITION_ORDER_IS_CANCELED;
	const char *child = RelationGetRelationName(trigger->tg_relation);
	const char *rows = guard && guard->refuse_when_given ?
		psprintf("rows with (%s)", text_clip(guard->refuse_when_given, 200)) :
		"rows";
	Refusal		r = {.condition = condition};

	r.message = psprintf(state == STATE_CANCELED ?
							 "order %s of %s is canceled" :
							 state == STATE_IN_PROGRESS ?
							 "cancellation of order %s of %s is in progress" :
							 "order %s of %s is on hold",
						 text_clip(c->key_text, 80), c->table->label);
	r.detail = psprintf(
		"Table \"%s\" does not accept %s for an order whose cancellation is in state \"%s\".",
		child, rows, state_name(state));
	r.hint = state == STATE_REQUESTED ?
		"Accept or deny the request first." :
		refusal_undo_hint(c->policy, c->has_record);
	visibility_redact(c->table, true, &r);
	refusal_raise_write(&r, trigger->tg_relation);
}

/*
 * Does the guard have to look at the order?  Sets *key to the order's.  The old
 * row is judged by the expressions as they are now: what other tables say may
 * have changed since it was written.
 */
static bool
needs_check(ChildWrite *w, ChildGuard *guard, ChildKey *key)
{
	bool	 conditional = guard->refuse_when.text != NULL;
	ChildKey old_key;

	if (conditional && !child_row_condition(guard, &w->is))
		return false;
	child_row_key(guard, &w->is, key);
	if (!key->known)
		return false;
	if (!w->update || (conditional && !child_row_condition(guard, &w->was)))
		return true;
	child_row_key(guard, &w->was, &old_key);
	return !child_key_same(key, &old_key);
}

/* The expressions are code of the owner of the child table. */
static bool
needs_check_as_owner(ChildWrite *w, ChildGuard *guard, ChildKey *key)
{
	RunAsScope scope;
	bool	   needed;

	if (w->update && child_row_same_input(guard, &w->is, &w->was))
		return false;
	if (guard->refuse_when.text == NULL && guard->key.text == NULL)
		return needs_check(w, guard, key);
	run_as_child_owner(&scope, w->is.rel->rd_rel->relowner, guard->search_path,
					   false);
	needed = needs_check(w, guard, key);
	run_as_end(&scope);
	return needed;
}

static void
check_order(ChildWrite *w, const ChildGuard *guard, const ChildKey *given)
{
	CancelTarget c = {0};
	RunAsScope	 scope;
	State		 state = STATE_NONE;
	Datum		 key[INDEX_MAX_KEYS];

	c.table = args_table(false, guard->orders, RowShareLock);
	c.key = key;

	/* A CHECK of a domain in the key is the table owner's code. */
	run_as_owner_spi(&scope, c.table);
	/* A missing order is not an error here; a foreign key may check that. */
	c.result = child_key_read(guard, &w->is, given, c.table, key) ?
		TARGET_OPEN :
		TARGET_NOT_FOUND;
	order_lock(&c, 1, false);
	if (c.result == TARGET_OPEN)
		state = lifecycle_state(&c);
	run_as_end_spi(&scope);
	if (guard->refuse[state])
		guard_child_refuse(w->trigger, &c, state, guard);
}

static ChildTable *
guards_of(Relation written)
{
	ChildTable *table = child_table_of(written);

	if (table == NULL)
		refusal_raise_not_attached(RelationGetRelid(written));
	return table;
}

Datum
ordcancel_guard_child(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call_after_row(fcinfo,
												  TRIGGER_EVENT_ANY_ROW);
	Relation	 written = trigger->tg_relation;
	ChildTable	*table = guards_of(written);
	ChildWrite	 w = {.trigger = trigger};
	ChildKey	 key;
	Relation	 child;

	/* Open until the end, so that code of the owner cannot alter it. */
	child = table_open(table->relid, AccessShareLock);
	w.update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	if (w.update)
	{
		child_row_init(&w.is, child, written, trigger->tg_newtuple);
		child_row_init(&w.was, child, written, trigger->tg_trigtuple);
	}
	else
		child_row_init(&w.is, child, written, trigger->tg_trigtuple);
	for (int i = 0; i < table->nguards; i++)
		if (needs_check_as_owner(&w, &table->guards[i], &key))
			check_order(&w, &table->guards[i], &key);
	table_close(child, NoLock);
	return PointerGetDatum(NULL);
}
