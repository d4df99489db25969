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
#include "access/tupconvert.h"
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
#include "rows/column_value.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/order_row.h"
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
	map = convert_tuples_by_name(RelationGetDescr(fired),
								 RelationGetDescr(root));
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

pg_noreturn static void
refuse(TriggerData *trigger, const ItemTable *items, const ItemTarget *item,
	   const char *what, char *detail, const char *hint)
{
	Refusal r = {
		.condition = CONDITION_ITEMS_NOT_AVAILABLE,
		.message = psprintf("item %s of %s cannot be %s",
							text_clip(item->key_text, 80), items->label, what),
		.detail = detail,
		.hint = (char *) hint,
	};

	visibility_redact(items->orders, true, &r);
	refusal_raise_write(&r, trigger->tg_relation);
}

static bool
any_canceled(const ItemTarget *item)
{
	return money_is_positive(item->canceled);
}

/* The units that a row has too few; not positive if there are enough. */
static Numeric
missing_units(const ItemTarget *item)
{
	return money_subtract(money_add(item->canceled, item->fulfilled),
						  item->ordered);
}

static void
check_units(TriggerData *trigger, ItemTable *items, ItemTarget *was,
			ItemTarget *is)
{
	Numeric missing;

	item_expr_fulfilled(items, is);
	missing = missing_units(is);
	if (!money_is_positive(missing))
		return;
	if (was)
	{
		/* It may have had too few before the items were attached. */
		item_expr_fulfilled(items, was);
		if (money_compare(missing, missing_units(was)) <= 0)
			return;
	}
	refuse(trigger, items, is, "changed",
		   psprintf(
			   "%s units would be ordered, but %s fulfilled and %s canceled.",
			   money_text(is->ordered), money_text(is->fulfilled),
			   money_text(is->canceled)),
		   "Call ordcancel.undo_cancel() to give canceled units back.");
}

static bool
order_of_item(CancelTarget *c, const ItemTable *items, HeapTuple row)
{
	for (int i = 0; i < items->orders->nkeys; i++)
	{
		const Column *column = &items->order_keys[i];
		bool		  isnull;
		Datum value = heap_getattr(row, column->attnum, items->desc, &isnull);

		if (isnull)
			return false;
		c->key[i] = column_from_value(&items->orders->keys[i], value,
									  column->type);
	}
	return true;
}

/*
 * Locks the order of a new item.  Refuses it if the order as a whole is being
 * canceled; one that was imported as canceled may get its items.
 */
static void
check_order(TriggerData *trigger, ItemTable *items, ItemTarget *item)
{
	Datum		 key[INDEX_MAX_KEYS];
	CancelTarget c = {.table = items->orders, .key = key};
	State		 state;

	/* A missing order is not an error here; a foreign key may check that. */
	if (!order_of_item(&c, items, item->row))
		return;
	order_lock(&c, 1, false);
	if (c.result != TARGET_OPEN)
		return;
	state = lifecycle_state(&c);
	if (state != STATE_NONE && c.has_record)
		guard_child_refuse(trigger, &c, state);
	if (state == STATE_NONE &&
		money_compare(item->canceled, int64_to_numeric(0)) != 0)
		refuse(trigger, items, item, "inserted",
			   psprintf("It has %s canceled units.",
						money_text(item->canceled)),
			   "Insert it without, then call ordcancel.cancel_items().");
}

static void
check_insert(TriggerData *trigger, ItemTable *items, ItemTarget *is)
{
	check_order(trigger, items, is);
	check_units(trigger, items, NULL, is);
}

static void
check_update(TriggerData *trigger, ItemTable *items, ItemTarget *was,
			 ItemTarget *is)
{
	bool same_key = columns_unchanged(items, items->keys, items->nkeys,
									  was->row, is->row);
	bool same_order = columns_unchanged(items, items->order_keys,
										items->orders->nkeys, was->row,
										is->row);

	if (money_compare(was->canceled, is->canceled) != 0 &&
		!(money_compare(was->ordered, is->ordered) != 0 && was->status &&
		  equal_or_both_null(was->status, is->status)) &&
		!item_update_is_ours(items, is->key))
		refuse(trigger, items, is, "changed",
			   psprintf("Its canceled units would change from %s to %s, "
						"and only ordcancel may change them.",
						money_text(was->canceled), money_text(is->canceled)),
			   "Call ordcancel.cancel_items() or ordcancel.undo_cancel().");
	if ((!same_key || !same_order) && any_canceled(was))
		refuse(trigger, items, was,
			   same_key ? "moved to another order" : "given another key",
			   psprintf("%s of its units are canceled.",
						money_text(was->canceled)),
			   NULL);
	if (!same_order)
		check_order(trigger, items, is);
	check_units(trigger, items, was, is);
}

/* Deleting the order, which a rule may allow, deletes its items with it. */
static bool
order_is_gone(const ItemTable *items, const ItemTarget *item)
{
	Datum		 key[INDEX_MAX_KEYS];
	CancelTarget c = {.table = items->orders, .key = key};

	if (!order_of_item(&c, items, item->row))
		return true;
	order_read(&c, 1, READ_CURRENT);
	return c.result != TARGET_OPEN;
}

static void
check_delete(TriggerData *trigger, const ItemTable *items,
			 const ItemTarget *was)
{
	if (any_canceled(was) && !order_is_gone(items, was))
		refuse(trigger, items, was, "deleted",
			   psprintf("%s of its units are canceled.",
						money_text(was->canceled)),
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
	ItemTable	*items = guarded_items(rel);
	bool		 update = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event);
	ItemTarget	 first = {0};
	ItemTarget	 second = {0};
	HeapTuple	 row = row_of_root(items, rel, trigger->tg_trigtuple);
	HeapTuple  fresh = update ? row_of_root(items, rel, trigger->tg_newtuple) :
								NULL;
	RunAsScope scope;

	if (update && update_is_harmless(items, row, fresh))
		return PointerGetDatum(NULL);
	run_as_owner_spi(&scope, items->orders);
	item_from_tuple(items, &first, row);
	if (update)
		item_from_tuple(items, &second, fresh);
	if (update)
		check_update(trigger, items, &first, &second);
	else if (TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		check_insert(trigger, items, &first);
	else
		check_delete(trigger, items, &first);
	run_as_end_spi(&scope);
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
