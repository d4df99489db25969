/*
 * item_read.c — reads the items of orders
 *
 * Through indexes if the table has one on the order's key, else by statements.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/money.h"
#include "base/virtual_columns.h"
#include "rows/item_row.h"
#include "rows/item_statement.h"
#include "rows/key.h"
#include "rows/order_key.h"

void
item_from_slot(const ItemTable *items, ItemTarget *item, Relation rel,
			   TupleTableSlot *slot)
{
	bool isnull;

	item->row_rel = RelationGetRelid(rel);
	item->tid = slot->tts_tid;
	item->xmin = DatumGetTransactionId(
		slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));
	item_from_tuple(items, item,
					virtual_columns_computed(ExecCopySlotHeapTuple(slot),
											 rel));
}

void
item_reader_begin(ItemReader *reader, ItemTable *items, ReadSnapshot snapshot)
{
	memset(reader, 0, sizeof(ItemReader));
	reader->items = items;
	reader->snapshot = snapshot;
	reader->by_index = OidIsValid(items->order_index);
	if (!reader->by_index)
		return;
	reader->rel = table_open(items->relid, AccessShareLock);
	reader->slot = table_slot_create(reader->rel, NULL);
	index_lookup_begin(&reader->of_order, reader->rel, items->order_index,
					   items->orders->keys, items->orders->nkeys, snapshot);
	index_lookup_begin(&reader->by_key, reader->rel, items->key_index,
					   items->keys, items->nkeys, snapshot);
}

void
item_reader_end(ItemReader *reader)
{
	if (!reader->by_index)
		return;
	index_lookup_end(&reader->by_key);
	index_lookup_end(&reader->of_order);
	ExecDropSingleTupleTableSlot(reader->slot);
	table_close(reader->rel, NoLock);
}

static int
compare_items(const void *a, const void *b, void *arg)
{
	const ItemTable	 *items = arg;
	const ItemTarget *x = lfirst((const ListCell *) a);
	const ItemTarget *y = lfirst((const ListCell *) b);

	return key_compare(items->keys, items->nkeys, x->key, y->key);
}

void
item_sort(CancelTarget *c)
{
	if (c->items)
		qsort_arg(c->items->elements, list_length(c->items), sizeof(ListCell),
				  compare_items, c->item_table);
}

ItemTarget *
item_find(const CancelTarget *c, const Datum *key)
{
	const ItemTable *items = c->item_table;
	int				 low = 0;
	int				 high = list_length(c->items) - 1;

	while (low <= high)
	{
		int			middle = (low + high) / 2;
		ItemTarget *item = list_nth(c->items, middle);
		int order = key_compare(items->keys, items->nkeys, item->key, key);

		if (order == 0)
			return item;
		if (order < 0)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return NULL;
}

static void
read_all_by_index(ItemReader *reader, CancelTarget *c)
{
	IndexLookup *lookup = &reader->of_order;

	for (bool found = index_lookup_find(lookup, c->key, ForwardScanDirection);
		 found; found = index_lookup_next(lookup, ForwardScanDirection))
	{
		ItemTarget *item = palloc0(sizeof(ItemTarget));

		item_from_slot(reader->items, item, reader->rel, lookup->slot);
		c->items = lappend(c->items, item);
	}
	item_sort(c);
}

static void
read_all(ItemReader *reader, CancelTarget *c)
{
	c->items = NIL;
	if (reader->by_index)
		read_all_by_index(reader, c);
	else
		item_read_by_statement(c, reader->snapshot);
}

/*
 * An item that was inserted after the transaction's snapshot does not conflict
 * with the lock of the order, so it has to be looked for.
 */
static void
check_is_latest(CancelTarget *c)
{
	CancelTarget latest = *c;
	ItemReader	 reader;
	bool		 same;

	item_reader_begin(&reader, c->item_table, READ_LATEST);
	read_all(&reader, &latest);
	item_reader_end(&reader);
	same = list_length(latest.items) == list_length(c->items);
	for (int i = 0; i < list_length(c->items) && same; i++)
		same = item_find(c, ((ItemTarget *) list_nth(latest.items, i))->key) !=
			NULL;
	if (!same)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg("could not serialize access due to concurrent update"),
			 errdetail(
				 "Items of order %s of %s were added or deleted after this transaction began.",
				 c->key_text, c->table->label),
			 errhint("The transaction might succeed if retried.")));
}

void
item_read_all(ItemReader *reader, CancelTarget *c)
{
	read_all(reader, c);
	c->items_known = true;
	if (reader->snapshot == READ_CURRENT && IsolationUsesXactSnapshot())
		check_is_latest(c);
}

bool
item_is_of_order(const CancelTarget *c, const ItemTarget *item)
{
	Datum key[INDEX_MAX_KEYS];

	return item_order_key(c->item_table, item->row, key) &&
		order_key_compare(c->table, c->key, key) == 0;
}

static ItemTarget *
add_item(ItemReader *reader, CancelTarget *c, TupleTableSlot *slot)
{
	ItemTarget *item = palloc0(sizeof(ItemTarget));

	item_from_slot(reader->items, item, reader->rel, slot);
	if (!item_is_of_order(c, item))
		return NULL;
	c->items = lappend(c->items, item);
	c->items_known = true;
	return item;
}

/* The version that a batch has selected is usually still the latest one. */
static ItemTarget *
read_selected(ItemReader *reader, CancelTarget *c, const ItemArg *given)
{
	ItemTarget *item;

	if (!given->if_any ||
		!table_tuple_fetch_row_version(reader->rel, (ItemPointer) &given->tid,
									   GetActiveSnapshot(), reader->slot))
		return NULL;
	item = add_item(reader, c, reader->slot);
	if (item &&
		key_compare(reader->items->keys, reader->items->nkeys, given->key,
					item->key) == 0)
		return item;
	if (item)
		c->items = list_delete_last(c->items);
	return NULL;
}

ItemTarget *
item_read_one(ItemReader *reader, CancelTarget *c, const ItemArg *given)
{
	ItemTarget *item = read_selected(reader, c, given);

	if (item)
		return item;
	if (!index_lookup_find(&reader->by_key, given->key, ForwardScanDirection))
		return NULL;
	return add_item(reader, c, reader->by_key.slot);
}

/* Does c->items, which is sorted, have the item in the slot? */
static bool
has_item(const CancelTarget *c, TupleTableSlot *slot)
{
	const ItemTable *items = c->item_table;
	Datum			 key[INDEX_MAX_KEYS];
	bool			 isnull;

	for (int i = 0; i < items->nkeys; i++)
		key[i] = slot_getattr(slot, items->keys[i].attnum, &isnull);
	return item_find(c, key) != NULL;
}

/* Integers are compared without a conversion. */
static bool
units_are_left(ItemReader *reader, TupleTableSlot *slot)
{
	const ItemTable *items = reader->items;
	ItemTarget		 item = {0};
	bool			 isnull;
	bool			 canceled_null;
	int32			 ordered;
	int32			 canceled;

	if (items->quantity.base == INT4OID && items->canceled.base == INT4OID)
	{
		ordered = DatumGetInt32(
			slot_getattr(slot, items->quantity.attnum, &isnull));
		canceled = DatumGetInt32(
			slot_getattr(slot, items->canceled.attnum, &canceled_null));
		return !isnull && ordered > (canceled_null ? 0 : canceled);
	}
	item_from_slot(items, &item, reader->rel, slot);
	return money_is_positive(item_not_canceled(&item));
}

bool
item_read_others_left(ItemReader *reader, const CancelTarget *c)
{
	IndexLookup *lookup = &reader->of_order;

	for (bool found = index_lookup_find(lookup, c->key, ForwardScanDirection);
		 found; found = index_lookup_next(lookup, ForwardScanDirection))
	{
		if (!has_item(c, lookup->slot) && units_are_left(reader, lookup->slot))
			return true;
	}
	return false;
}
