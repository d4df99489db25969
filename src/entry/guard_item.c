/*
 * guard_item.c — the triggers on tables of items
 *
 * Units are canceled by ordcancel alone, and no other write may leave fewer
 * units than are canceled and fulfilled.  An UPDATE has locked the item before
 * its trigger fires, so this is decided without the lock of the order, which a
 * cancellation takes first.  A new item locks the order, as a child row does.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "commands/trigger.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/money.h"
#include "base/text.h"
#include "base/trigger_call.h"
#include "base/virtual_columns.h"
#include "config/guc.h"
#include "config/item_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/guard_child.h"
#include "lifecycle/lifecycle.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/order_row.h"
#include "rows/partition_map.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_item);
PG_FUNCTION_INFO_V1(ordcancel_guard_item_truncate);

static HeapTuple
row_of_root(const ItemTable *items, Relation fired, HeapTuple row)
{
	TupleConversionMap *map;
	Relation			root;

	row = virtual_columns_computed(row, fired);
	if (RelationGetRelid(fired) == items->relid)
		return row;
	root = table_open(items->relid, AccessShareLock);
	map = partition_map(fired, root);
	table_close(root, NoLock);
	return map ? execute_attr_map_tuple(row, map) : row;
}

static bool
column_unchanged(const ItemTable *items, const Column *column, HeapTuple was,
				 HeapTuple is)
{
	bool  was_null;
	bool  is_null;
	Datum old;
	Datum new;

	if (column->attnum == 0)
		return true;
	old = heap_getattr(was, column->attnum, items->desc, &was_null);
	new = heap_getattr(is, column->attnum, items->desc, &is_null);
	return was_null == is_null &&
		(was_null ||
		 datum_image_eq(old, new, column->typbyval, column->typlen));
}

static bool
columns_unchanged(const ItemTable *items, const Column *columns, int count,
				  HeapTuple was, HeapTuple is)
{
	for (int i = 0; i < count; i++)
		if (!column_unchanged(items, &columns[i], was, is))
			return false;
	return true;
}

/* Can the update be none of our business?  Most are. */
static bool
update_is_harmless(const ItemTable *items, HeapTuple was, HeapTuple is)
{
	return (items->fulfilled == NULL || items->fulfilled_column.attnum) &&
		column_unchanged(items, &items->fulfilled_column, was, is) &&
		column_unchanged(items, &items->quantity, was, is) &&
		column_unchanged(items, &items->canceled, was, is) &&
		column_unchanged(items, &items->status, was, is) &&
		columns_unchanged(items, items->order_keys, items->orders->nkeys, was,
						  is) &&
		columns_unchanged(items, items->keys, items->nkeys, was, is);
}

/*
 * One write.  What is refused is raised once the rights of the owner are given
 * up, since the message must not tell the writer what it may not read.
 */
typedef struct Write
{
	ItemTable	*items;
	ItemTarget	 was; /* of an UPDATE or DELETE */
	ItemTarget	 is;  /* of an UPDATE or INSERT */
	bool		 refused;
	Refusal		 refusal;
	bool		 closed; /* refused because of the state of the order */
	CancelTarget order;
	State		 state;
	Datum		 key[INDEX_MAX_KEYS];
} Write;

/* Returns false, for the caller to return. */
static bool
refuse(Write *w, const ItemTarget *item, const char *what, char *detail,
	   const char *hint)
{
	w->refused = true;
	w->refusal = (Refusal){
		.condition = CONDITION_ITEMS_NOT_AVAILABLE,
		.message = psprintf("item %s of %s cannot be %s",
							text_clip(item->key_text, 80), w->items->label,
							what),
		.detail = detail,
		.hint = (char *) hint,
	};
	return false;
}

pg_noreturn static void
raise_refused(TriggerData *trigger, Write *w)
{
	if (w->closed)
		guard_child_refuse(trigger, &w->order, w->state, NULL);
	visibility_redact(w->items->orders, true, &w->refusal);
	refusal_raise_write(&w->refusal, trigger->tg_relation);
}

/* Are units canceled?  With a status, it alone says so. */
static bool
any_canceled(const ItemTable *items, const ItemTarget *item)
{
	return items->status.attnum ?
		equal_and_not_null(item->status, items->canceled_status) :
		money_compare(item->canceled, int64_to_numeric(0)) != 0;
}

/* The units that a row has too few; not positive if there are enough. */
static Numeric
missing_units(const ItemTarget *item)
{
	return money_subtract(money_add(item->canceled, item->fulfilled),
						  item->ordered);
}

static bool
check_units(Write *w, ItemTarget *was)
{
	ItemTarget *is = &w->is;
	Numeric		missing;

	item_expr_fulfilled(w->items, is);
	missing = missing_units(is);
	if (!money_is_positive(missing))
		return true;
	if (was)
	{
		/* It may have had too few before the items were attached. */
		item_expr_fulfilled(w->items, was);
		if (money_compare(missing, missing_units(was)) <= 0)
			return true;
	}
	return refuse(
		w, is, was ? "changed" : "inserted",
		psprintf(
			"%s units would be ordered, but %s fulfilled and %s canceled.",
			money_text(is->ordered), money_text(is->fulfilled),
			money_text(is->canceled)),
		any_canceled(w->items, is) ?
			"Call ordcancel.undo_cancel() to give canceled units back." :
			NULL);
}

/* Fills w->order with the key of the item's order; false if it has none. */
static bool
order_of_item(Write *w, const ItemTarget *item)
{
	memset(&w->order, 0, sizeof(CancelTarget));
	w->order.table = w->items->orders;
	w->order.key = w->key;
	return item_order_key(w->items, item->row, w->key);
}

/*
 * Is the order as a whole being canceled?  One that was imported as canceled
 * may get its items.
 */
static bool
check_order_state(Write *w)
{
	w->state = lifecycle_state(&w->order);
	w->refused = w->closed = w->state != STATE_NONE && w->order.has_record;
	return !w->refused;
}

/* Locks the order of a new item. */
static bool
check_order(Write *w)
{
	const ItemTarget *is = &w->is;

	/* A missing order is not an error here; a foreign key may check that. */
	if (!order_of_item(w, is))
		return true;
	order_lock(&w->order, 1, false);
	if (w->order.result != TARGET_OPEN)
		return true;
	if (!check_order_state(w))
		return false;
	if (w->state == STATE_NONE && any_canceled(w->items, is))
		return refuse(
			w, is, "inserted",
			psprintf("It has %s canceled units.", money_text(is->canceled)),
			"Insert it without, then call ordcancel.cancel_items().");
	return true;
}

/*
 * More units of an item are like a new item.  A cancellation of the whole order
 * has locked the item, so the order need not be locked.
 */
static bool
check_more_units(Write *w)
{
	if (money_compare(item_not_canceled(&w->is), item_not_canceled(&w->was)) <=
			0 ||
		!order_of_item(w, &w->is))
		return true;
	order_read(&w->order, 1, READ_CURRENT);
	return w->order.result != TARGET_OPEN || check_order_state(w);
}

static bool
cancels_differ(const Write *w)
{
	if (w->items->status.attnum)
		return any_canceled(w->items, &w->was) !=
			any_canceled(w->items, &w->is);
	return money_compare(w->was.canceled, w->is.canceled) != 0;
}

static bool
check_update(Write *w)
{
	const ItemTable *items = w->items;
	ItemTarget		*was = &w->was;
	ItemTarget		*is = &w->is;
	bool same_key = columns_unchanged(items, items->keys, items->nkeys,
									  was->row, is->row);
	bool same_order = columns_unchanged(items, items->order_keys,
										items->orders->nkeys, was->row,
										is->row);

	if (cancels_differ(w))
	{
		if (item_update_is_ours(items, is->key))
			return true;
		return refuse(
			w, is, "changed",
			items->status.attnum ?
				psprintf("Its status would change from %s to %s, "
						 "and only ordcancel may cancel items.",
						 quoted_or_null(was->status),
						 quoted_or_null(is->status)) :
				psprintf("Its canceled units would change from %s to %s, "
						 "and only ordcancel may change them.",
						 money_text(was->canceled), money_text(is->canceled)),
			"Call ordcancel.cancel_items() or ordcancel.undo_cancel().");
	}
	if (items->status.attnum && any_canceled(items, was) &&
		money_compare(was->ordered, is->ordered) != 0)
		return refuse(
			w, is, "changed",
			psprintf(
				"It is canceled, and its quantity would change from %s to %s.",
				money_text(was->ordered), money_text(is->ordered)),
			"Call ordcancel.undo_cancel() first.");
	if ((!same_key || !same_order) && any_canceled(items, was))
		return refuse(w, was,
					  same_key ? "moved to another order" :
								 "given another key",
					  psprintf("%s of its units are canceled.",
							   money_text(was->canceled)),
					  NULL);
	return (same_order ? check_more_units(w) : check_order(w)) &&
		check_units(w, was);
}

/* Deleting the order, which a rule may allow, deletes its items with it. */
static bool
order_is_gone(Write *w)
{
	if (!order_of_item(w, &w->was))
		return true;
	order_read(&w->order, 1, READ_CURRENT);
	return w->order.result != TARGET_OPEN;
}

static bool
check_delete(Write *w)
{
	if (!any_canceled(w->items, &w->was) || order_is_gone(w))
		return true;
	return refuse(w, &w->was, "deleted",
				  psprintf("%s of its units are canceled.",
						   money_text(w->was.canceled)),
				  "Call ordcancel.undo_cancel() first.");
}

static ItemTable *
guarded_items(Relation rel)
{
	Oid			orders = item_table_orders(rel);
	OrderTable *table;
	ItemTable  *items;

	if (!OidIsValid(orders))
		refusal_raise_not_attached(RelationGetRelid(rel));
	table = args_table(false, orders, RowShareLock);
	items = item_table_open(table, AccessShareLock);
	if (items == NULL)
		refusal_raise_not_attached(RelationGetRelid(rel));
	return items;
}

Datum
ordcancel_guard_item(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call_after_row(fcinfo,
												  TRIGGER_EVENT_ANY_ROW);
	Relation	 rel = trigger->tg_relation;
	Write		 w = {.items = guarded_items(rel)};
	bool		 update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	HeapTuple	 row = row_of_root(w.items, rel, trigger->tg_trigtuple);
	HeapTuple	 fresh = NULL;
	RunAsScope	 scope;
	bool		 allowed;

	if (update)
	{
		fresh = row_of_root(w.items, rel, trigger->tg_newtuple);
		if (update_is_harmless(w.items, row, fresh))
			return PointerGetDatum(NULL);
	}
	run_as_owner_spi(&scope, w.items->orders);
	if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
	{
		item_from_tuple(w.items, &w.is, row);
		allowed = check_order(&w) && check_units(&w, NULL);
	}
	else
	{
		item_from_tuple(w.items, &w.was, row);
		if (update)
			item_from_tuple(w.items, &w.is, fresh);
		allowed = update ? check_update(&w) : check_delete(&w);
	}
	run_as_end_spi(&scope);
	if (!allowed)
		raise_refused(trigger, &w);
	return PointerGetDatum(NULL);
}

/* BEFORE TRUNCATE of a table of items or a partition of it. */
Datum
ordcancel_guard_item_truncate(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	Relation	 rel = trigger->tg_relation;

	if (guc_allow_truncate)
		return PointerGetDatum(NULL);
	ereport(
		ERROR,
		(errcode(ERRCODE_CHECK_VIOLATION),
		 errmsg("cannot truncate \"%s\"", RelationGetRelationName(rel)),
		 errdetail(
			 "It has the items of an order table that is attached to ordcancel."),
		 errhint(
			 "In a test database, a superuser can set \"ordcancel.allow_truncate\". "
			 "ordcancel.detach_items() also removes the rules."),
		 errtableconstraint(rel,
							condition_name(CONDITION_ITEMS_NOT_AVAILABLE))));
}
