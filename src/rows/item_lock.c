/*
 * item_lock.c — locks the items of orders
 */
#include "postgres.h"

#include "access/tableam.h"
#include "miscadmin.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/money.h"
#include "base/text.h"
#include "rows/item_row.h"
#include "rows/item_statement.h"
#include "rows/key.h"
#include "rows/row_lock.h"

/* Is it still this item of this order? */
static bool
same_item(const CancelTarget *c, const ItemTarget *item,
		  const ItemTarget *latest)
{
	const ItemTable *items = c->item_table;

	return key_compare(items->keys, items->nkeys, item->key, latest->key) ==
		0 &&
		item_is_of_order(c, latest);
}

/* Copies what was read of the latest version of a row. */
static void
take_over(ItemTarget *item, const ItemTarget *latest)
{
	item->row = latest->row;
	item->row_rel = latest->row_rel;
	item->tid = latest->tid;
	item->xmin = latest->xmin;
	item->ordered = latest->ordered;
	item->canceled = latest->canceled;
	item->status = latest->status;
	item->fulfilled = latest->fulfilled;
}

/* Returns false if the item is gone. */
static bool
lock_by_statement(CancelTarget *c, ItemTarget *item)
{
	ItemTarget latest = {0};

	if (!item_lock_by_statement(c, item, &latest))
		return false;
	take_over(item, &latest);
	return true;
}

static bool
lock_in_place(ItemReader *reader, CancelTarget *c, ItemTarget *item)
{
	Relation		rel = reader->rel;
	TupleTableSlot *slot = reader->slot;
	ItemTarget		latest = {0};

	if (!table_tuple_fetch_row_version(rel, &item->tid, SnapshotAny, slot))
		return false;
	switch (row_lock(rel, slot, false))
	{
		case ROW_LOCKED:
			return true;
		case ROW_LOCKED_LATER:
			item_from_slot(c->item_table, &latest, rel, slot);
			if (!same_item(c, item, &latest))
				return false;
			take_over(item, &latest);
			return true;
		case ROW_BUSY:
		case ROW_GONE:
			break;
	}
	return false;
}

void
item_lock(ItemReader *reader, CancelTarget *c)
{
	List	 *kept = NIL;
	ListCell *lc;

	PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (item->to_lock && !item->locked)
		{
			if (reader->by_index ? !lock_in_place(reader, c, item) :
								   !lock_by_statement(c, item))
				continue;
			item->locked = true;
		}
		kept = lappend(kept, item);
	}
	c->items = kept;
}

bool
item_is_unchanged(CancelTarget *c, const ItemTarget *item)
{
	ItemTarget now = *item;

	return lock_by_statement(c, &now) &&
		money_compare(now.ordered, item->ordered) == 0 &&
		money_compare(now.canceled, item->canceled) == 0 &&
		equal_or_both_null(now.status, item->status);
}
