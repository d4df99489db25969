/*
 * guard_child.c — the trigger on child tables, such as shipments or invoices
 *
 * It refuses rows for an order that is canceled or being canceled.  It locks
 * the order FOR NO KEY UPDATE, as a cancellation does, so that one of two
 * concurrent transactions sees the other.  The KEY SHARE lock of a foreign key
 * does not conflict with a cancellation.  FOR SHARE would, but two shipments
 * of one order would deadlock when both go on to update the order.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/partition.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "utils/rel.h"

#include "base/text.h"
#include "base/trigger_call.h"
#include "config/config_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/guard_child.h"
#include "lifecycle/lifecycle.h"
#include "rows/column_value.h"
#include "rows/order_row.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_child);

/* Columns of ordcancel.child; only ever appended to. */
enum
{
	CHILD_ORDERS = 2,
	CHILD_KEY_COLUMNS,
	CHILD_REFUSE_REQUESTED,
	CHILD_REFUSE_IN_PROGRESS,
	CHILD_REFUSE_CANCELED,
};

typedef struct Child
{
	Oid	   orders;
	int	   nkeys;
	char **key_columns;
	bool   refuse[STATE_CANCELED + 1]; /* in this state of the order? */
} Child;

static void
load_child(HeapTuple row, TupleDesc desc, void *arg)
{
	Child *child = arg;

	child->orders = config_oid(row, desc, CHILD_ORDERS);
	child->key_columns = config_names(row, desc, CHILD_KEY_COLUMNS,
									  &child->nkeys);
	child->refuse[STATE_REQUESTED] = config_bool(row, desc,
												 CHILD_REFUSE_REQUESTED);
	child->refuse[STATE_IN_PROGRESS] = config_bool(row, desc,
												   CHILD_REFUSE_IN_PROGRESS);
	child->refuse[STATE_CANCELED] = config_bool(row, desc,
												CHILD_REFUSE_CANCELED);
}

/* Finds the configuration of a child table, or of a partition of one. */
static bool
find_child(Relation rel, Child *child)
{
	ListCell *lc;

	if (config_scan("child", RelationGetRelid(rel), load_child, child) > 0)
		return true;
	if (rel->rd_rel->relispartition)
		foreach(lc, get_partition_ancestors(RelationGetRelid(rel)))
			if (config_scan("child", lfirst_oid(lc), load_child, child) > 0)
				return true;
	return false;
}

/* Reads the order's key from the child row; false if a column is NULL. */
static bool
child_key(const Child *child, Relation rel, HeapTuple row,
		  const OrderTable *table, Datum *key)
{
	TupleDesc desc = RelationGetDescr(rel);

	for (int i = 0; i < table->nkeys; i++)
	{
		int	  attnum = i < child->nkeys ?
			  SPI_fnumber(desc, child->key_columns[i]) :
			  SPI_ERROR_NOATTRIBUTE;
		bool  isnull;
		Datum value;

		if (attnum <= 0)
			refusal_raise_invalid_policy(
				psprintf(
					"table \"%s\" no longer has the columns for the key of %s",
					RelationGetRelationName(rel), table->label),
				NULL, "Call ordcancel.attach_child() again.");
		value = heap_getattr(row, attnum, desc, &isnull);
		if (isnull)
			return false;
		key[i] = column_from_value(&table->keys[i], value,
								   TupleDescAttr(desc, attnum - 1)->atttypid);
	}
	return true;
}

void
guard_child_refuse(TriggerData *trigger, const CancelTarget *c, State state)
{
	Condition	condition = state == STATE_REQUESTED ?
		  CONDITION_ORDER_ON_HOLD :
		  CONDITION_ORDER_IS_CANCELED;
	const char *child = RelationGetRelationName(trigger->tg_relation);
	Refusal		r = {.condition = condition};

	r.message = psprintf(state == STATE_CANCELED ?
							 "order %s of %s is canceled" :
							 state == STATE_IN_PROGRESS ?
							 "cancellation of order %s of %s is in progress" :
							 "order %s of %s is on hold",
						 text_clip(c->key_text, 80), c->table->label);
	r.detail = psprintf(
		"Table \"%s\" does not accept rows for an order whose cancellation is in state \"%s\".",
		child, state_name(state));
	r.hint = state == STATE_REQUESTED ?
		"Accept or deny the request first." :
		refusal_undo_hint(c->policy, c->has_record);
	visibility_redact(c->table, true, &r);
	refusal_raise_write(&r, trigger->tg_relation);
}

Datum
ordcancel_guard_child(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call_after_row(fcinfo,
												  TRIGGER_EVENT_ANY_ROW);
	HeapTuple	 row;
	Child		 child = {0};
	CancelTarget c = {0};
	RunAsScope	 scope;
	State		 state = STATE_NONE;
	Datum		 key[INDEX_MAX_KEYS];

	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ? trigger->tg_newtuple :
													   trigger->tg_trigtuple;
	if (!find_child(trigger->tg_relation, &child))
		refusal_raise_not_attached(RelationGetRelid(trigger->tg_relation));

	c.table = args_table(false, child.orders, RowShareLock);
	c.key = key;

	/* A CHECK of a domain in the key is the table owner's code. */
	run_as_owner_spi(&scope, c.table);
	/* A missing order is not an error here; a foreign key may check that. */
	c.result = child_key(&child, trigger->tg_relation, row, c.table, key) ?
		TARGET_OPEN :
		TARGET_NOT_FOUND;
	order_lock(&c, 1, false);
	if (c.result == TARGET_OPEN)
		state = lifecycle_state(&c);
	run_as_end_spi(&scope);
	if (child.refuse[state])
		guard_child_refuse(trigger, &c, state);
	return PointerGetDatum(NULL);
}
