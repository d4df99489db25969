/*
 * item_read.c — reads and locks the items of orders
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
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/money.h"
#include "base/text.h"
#include "base/virtual_columns.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/order_key.h"
#include "rows/plan_cache.h"
#include "rows/row_lock.h"

/*
 * Compares with the key of the order, parameters 1 to n.  The columns may be
 * of another integer or text type than the order's.
 */
void
item_order_qual(StringInfo sql, const ItemTable *items, const char *alias)
{
	const OrderTable *orders = items->orders;

	for (int i = 0; i < orders->nkeys; i++)
	{
		const Column *key = &orders->keys[i];
		const Column *column = &items->order_keys[i];
		Oid			  base = key->base;
		char *left = psprintf("%s.%s", alias, quote_identifier(column->name));

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		if (column->type == key->type && base == key->type)
			generate_operator_clause(sql, left, base, key->equal,
									 psprintf("$%d", i + 1), base);
		else if (column->base == base)
			generate_operator_clause(
				sql, psprintf("%s::%s", left, format_type_be_qualified(base)),
				base, key->equal,
				psprintf("$%d::%s", i + 1, format_type_be_qualified(base)),
				base);
		else
			appendStringInfo(sql, "%s::%s OPERATOR(pg_catalog.=) $%d::%s",
							 left, format_type_be_qualified(column->base),
							 i + 1, format_type_be_qualified(base));
	}
}

static void
select_sql(StringInfo sql, const ItemTable *items)
{
	const char *i = items->alias;

	appendStringInfo(sql, "SELECT %s, %s.tableoid, %s.ctid FROM %s%s AS %s", i,
					 i, i, items->partitioned ? "" : "ONLY ", items->label, i);
	appendStringInfoString(sql, " WHERE ");
	item_order_qual(sql, items, i);
}

static void
read_sql(StringInfo sql, const OrderTable *table)
{
	const ItemTable *items = item_table_open((OrderTable *) table,
											 AccessShareLock);

	select_sql(sql, items);
	appendStringInfoString(sql, " ORDER BY ");
	key_sort(sql, items->keys, items->nkeys, items->alias);
}

static void
lock_sql(StringInfo sql, const OrderTable *table)
{
	const ItemTable *items = item_table_open((OrderTable *) table,
											 AccessShareLock);

	select_sql(sql, items);
	appendStringInfoString(sql, " AND ");
	key_qual(sql, items->keys, items->nkeys, items->alias, NULL,
			 table->nkeys + 1);
	appendStringInfoString(sql, " FOR NO KEY UPDATE");
}

/* A row of the result of one of the statements above. */
static void
item_from_result(const ItemTable *items, ItemTarget *item, uint64 row)
{
	HeapTuple		tuple = SPI_tuptable->vals[row];
	TupleDesc		desc = SPI_tuptable->tupdesc;
	bool			isnull;
	HeapTupleHeader header = DatumGetHeapTupleHeader(
		SPI_getbinval(tuple, desc, 1, &isnull));
	HeapTupleData data = {0};

	data.t_len = HeapTupleHeaderGetDatumLength(header);
	data.t_data = header;
	item_from_tuple(items, item, heap_copytuple(&data));
	item->row_rel = DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull));
	item->tid = *(ItemPointer) DatumGetPointer(
		SPI_getbinval(tuple, desc, 3, &isnull));
	item->xmin = DatumGetTransactionId(SPI_getbinval(tuple, desc, 4, &isnull));
}

static void
read_all_by_statement(CancelTarget *c, ReadSnapshot snapshot)
{
	Parameters p = {0};
	uint64	   rows;

	parameter_key(&p, c->table, c->key);
	rows = plan_cache_run(c->table, STATEMENT_READ_ITEMS, read_sql, &p,
						  snapshot);
	for (uint64 i = 0; i < rows; i++)
	{
		ItemTarget *item = palloc0(sizeof(ItemTarget));

		item_from_result(c->item_table, item, i);
		c->items = lappend(c->items, item);
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
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
		read_all_by_statement(c, reader->snapshot);
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
	Parameters p = {0};
	bool	   found;
	ItemTarget latest = {0};

	parameter_key(&p, c->table, c->key);
	for (int i = 0; i < c->item_table->nkeys; i++)
		parameter_value(&p, c->item_table->keys[i].type, item->key[i], false);
	found = plan_cache_run(c->table, STATEMENT_LOCK_ITEM, lock_sql, &p,
						   READ_CURRENT) > 0;
	if (found)
	{
		item_from_result(c->item_table, &latest, 0);
		take_over(item, &latest);
	}
	SPI_freetuptable(SPI_tuptable);
	return found;
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
