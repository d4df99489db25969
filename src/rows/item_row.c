/*
 * item_row.c — reads and locks the items of orders
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
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
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/index_lookup.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/order_key.h"
#include "rows/plan_cache.h"
#include "rows/row_lock.h"

Numeric
item_units(const ItemTable *items, const Column *column, Datum value,
		   bool isnull)
{
	Numeric units;

	if (isnull)
		return int64_to_numeric(0);
	switch (column->base)
	{
		case INT2OID:
			return int64_to_numeric(DatumGetInt16(value));
		case INT4OID:
			return int64_to_numeric(DatumGetInt32(value));
		case INT8OID:
			return int64_to_numeric(DatumGetInt64(value));
		case NUMERICOID:
			units = DatumGetNumericCopy(value);
			if (!numeric_is_nan(units) && !numeric_is_inf(units))
				return units;
			break;
	}
	refusal_raise_invalid_policy(
		psprintf("column \"%s\" of %s does not count units", column->name,
				 items->label),
		column->base == NUMERICOID ?
			"A value in it is not a finite number." :
			psprintf("Its type is %s.", format_type_be(column->type)),
		"Correct it, or call ordcancel.attach_items() for another column.");
}

void
item_key_from_tuple(const ItemTable *items, HeapTuple row, TupleDesc desc,
					Datum *key)
{
	bool isnull;

	for (int i = 0; i < items->nkeys; i++)
		key[i] = heap_getattr(row, items->keys[i].attnum, desc, &isnull);
}

void
item_from_tuple(const ItemTable *items, ItemTarget *item, HeapTuple row)
{
	TupleDesc desc = items->desc;
	Datum	  key[INDEX_MAX_KEYS];
	Datum	  value;
	bool	  isnull;

	item->row = row;
	item_key_from_tuple(items, row, desc, key);
	item->key = key_copy(items->keys, items->nkeys, key);
	item->key_text = key_text(items->keys, items->nkeys, items->key_desc,
							  items->key_has_format, item->key);
	if (items->fulfilled_column.attnum)
	{
		value = heap_getattr(row, items->fulfilled_column.attnum, desc,
							 &isnull);
		item->fulfilled = item_units(items, &items->fulfilled_column, value,
									 isnull);
	}
	item->ordered = int64_to_numeric(1);
	if (items->quantity.attnum)
	{
		value = heap_getattr(row, items->quantity.attnum, desc, &isnull);
		item->ordered = item_units(items, &items->quantity, value, isnull);
	}
	if (items->canceled.attnum)
	{
		value = heap_getattr(row, items->canceled.attnum, desc, &isnull);
		item->canceled = item_units(items, &items->canceled, value, isnull);
		return;
	}
	value = heap_getattr(row, items->status.attnum, desc, &isnull);
	item->status = isnull ? NULL : column_to_text(&items->status, value);
	item->canceled = equal_and_not_null(item->status, items->canceled_status) ?
		item->ordered :
		int64_to_numeric(0);
}

Numeric
item_not_canceled(const ItemTarget *item)
{
	return money_subtract(item->ordered, item->canceled);
}

Numeric
item_left(const ItemTarget *item)
{
	Numeric left = item_not_canceled(item);

	return item->fulfilled ? money_subtract(left, item->fulfilled) : left;
}

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
read_by_statement(CancelTarget *c, ReadSnapshot snapshot)
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

static int
compare_items(const void *a, const void *b, void *arg)
{
	const ItemTable	 *items = arg;
	const ItemTarget *x = lfirst((const ListCell *) a);
	const ItemTarget *y = lfirst((const ListCell *) b);

	return key_compare(items->keys, items->nkeys, x->key, y->key);
}

static void
read_by_index(CancelTarget *c, ReadSnapshot snapshot)
{
	ItemTable  *items = c->item_table;
	Relation	rel = table_open(items->relid, AccessShareLock);
	IndexLookup lookup;

	index_lookup_begin(&lookup, rel, items->order_index, c->table->keys,
					   c->table->nkeys, snapshot);
	for (bool found = index_lookup_find(&lookup, c->key, ForwardScanDirection);
		 found; found = index_lookup_next(&lookup, ForwardScanDirection))
	{
		ItemTarget *item = palloc0(sizeof(ItemTarget));

		item_from_slot(items, item, rel, lookup.slot);
		c->items = lappend(c->items, item);
	}
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
	if (c->items)
		qsort_arg(c->items->elements, list_length(c->items), sizeof(ListCell),
				  compare_items, items);
}

void
item_read(CancelTarget *c, ReadSnapshot snapshot)
{
	c->items = NIL;
	if (OidIsValid(c->item_table->order_index))
		read_by_index(c, snapshot);
	else
		read_by_statement(c, snapshot);
	c->items_known = true;
}

/* Is the row in the slot still this item of this order? */
static bool
same_item(const CancelTarget *c, const ItemTarget *item,
		  const ItemTarget *latest)
{
	const ItemTable *items = c->item_table;
	TupleDesc		 desc = items->desc;
	Datum			 key[INDEX_MAX_KEYS];
	bool			 isnull;

	for (int i = 0; i < c->table->nkeys; i++)
	{
		key[i] = heap_getattr(latest->row, items->order_keys[i].attnum, desc,
							  &isnull);
		if (isnull)
			return false;
	}
	return key_compare(items->keys, items->nkeys, item->key, latest->key) ==
		0 &&
		order_key_compare(c->table, c->key, key) == 0;
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
lock_in_place(CancelTarget *c, ItemTarget *item, Relation rel,
			  TupleTableSlot *slot)
{
	ItemTarget latest = {0};

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
item_lock(CancelTarget *c)
{
	ItemTable	   *items = c->item_table;
	Relation		rel = NULL;
	TupleTableSlot *slot = NULL;
	List		   *kept = NIL;
	ListCell	   *lc;

	PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
	if (OidIsValid(items->order_index))
	{
		rel = table_open(items->relid, RowShareLock);
		slot = table_slot_create(rel, NULL);
		read_snapshot_push(READ_CURRENT);
	}
	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		CHECK_FOR_INTERRUPTS();
		if (item->to_lock && !item->locked)
		{
			if (rel ? !lock_in_place(c, item, rel, slot) :
					  !lock_by_statement(c, item))
				continue;
			item->locked = true;
		}
		kept = lappend(kept, item);
	}
	if (rel)
	{
		PopActiveSnapshot();
		ExecDropSingleTupleTableSlot(slot);
		table_close(rel, NoLock);
	}
	c->items = kept;
}
