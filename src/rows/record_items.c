/*
 * record_items.c — the record table of the items that cancellations mean
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/money.h"
#include "base/result_row.h"
#include "config/item_table.h"
#include "rows/archive.h"
#include "rows/index_lookup.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"
#include "rows/record_open.h"
#include "rows/record_rows.h"

static RecordKeys
record_keys_of_item(const ItemTable *items)
{
	return (RecordKeys){items->keys_serial, items->keys, items->record_keys,
						items->nkeys};
}

typedef struct ItemRow
{
	const CancelTarget *c;
	const ItemTarget   *item;
} ItemRow;

static void
item_parameters(const void *rows, int i, Parameters *p)
{
	const CancelTarget *c = ((const ItemRow *) rows)[i].c;
	const ItemTarget   *item = ((const ItemRow *) rows)[i].item;
	const ItemTable	   *items = c->item_table;

	bool undone = c->record.state == STATE_UNDONE;

	p->count = 0;
	parameter_value(p, INT8OID, Int64GetDatum(c->record.id), false);
	parameter_text(p, item->key_text);
	parameter_numeric(p, undone ? item->wanted : item->take);
	parameter_numeric(p,
					  undone								 ? item->due :
						  c->record.state == STATE_REQUESTED ? NULL :
															   item->drop);
	parameter_text(p, item->reason);
	parameter_text(p, item->note);
	parameter_text(p, item->prior_status);
	parameter_numeric(p,
					  undone && item->drop ? money_negative(item->drop) :
											 NULL);
	for (int k = 0; k < items->nkeys; k++)
		parameter_value(p, items->keys[k].type, item->key[k], false);
}

void
record_insert_items(CancelTarget *targets, int count)
{
	ItemRow	  *rows = NULL;
	ItemTable *items = NULL;
	RecordKeys keys;
	int		   n = 0;
	int		   size = 0;
	ListCell  *lc;

	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		/* What a request of the whole order means is not known yet. */
		if (c->result != TARGET_OPEN || c->items == NIL ||
			(c->record.state == STATE_REQUESTED && !c->record.items))
			continue;
		foreach(lc, c->items)
		{
			ItemTarget *item = lfirst(lc);

			if (!item->meant || item->recorded)
				continue;
			if (n == size)
			{
				size = Max(16, 2 * size);
				rows = rows ? repalloc(rows, size * sizeof(ItemRow)) :
							  palloc(size * sizeof(ItemRow));
			}
			rows[n++] = (ItemRow){c, item};
			items = c->item_table;
		}
	}
	if (n == 0)
		return;
	keys = record_keys_of_item(items);
	record_write_rows(items->orders, item_columns, &keys,
					  items->orders->item_records, item_parameters, rows, n);
	pfree(rows);
}

/*
 * Begins lookups by cancellation ID and, if "both", the text of the item's key,
 * the first columns of the primary key.
 */
static void
begin_lookup(IndexLookup *lookup, Relation rel, bool both,
			 ReadSnapshot snapshot)
{
	static const char *const names[] = {"cancellation_id", "item_key"};
	static Column			 columns[2] = {{0}};
	int						 count = both ? 2 : 1;

	if (!OidIsValid(columns[0].equal_function.fn_oid))
	{
		fmgr_info_cxt(F_INT8EQ, &columns[0].equal_function, TopMemoryContext);
		fmgr_info_cxt(F_TEXTEQ, &columns[1].equal_function, TopMemoryContext);
	}
	index_lookup_begin(lookup, rel, record_index_by_number(rel, names, count),
					   columns, count, snapshot);
}

static NullableDatum
get_column(TupleTableSlot *row, const RecordMap *map, int column)
{
	NullableDatum value;

	value.value = slot_getattr(row, map->attnums[column], &value.isnull);
	return value;
}

static char *
get_text(TupleTableSlot *row, const RecordMap *map, int column)
{
	NullableDatum value = get_column(row, map, column);

	return nullable_text(value.value, value.isnull);
}

static Numeric
get_numeric(TupleTableSlot *row, const RecordMap *map, int column)
{
	NullableDatum value = get_column(row, map, column);

	return nullable_numeric(value.value, value.isnull);
}

static RecordItem *
record_item_from_slot(const RecordKeys *keys, const RecordMap *map,
					  TupleTableSlot *row)
{
	RecordItem *item = palloc0(sizeof(RecordItem));
	Datum		key[INDEX_MAX_KEYS];

	item->item_key = get_text(row, map, ITEM_KEY);
	item->quantity = get_numeric(row, map, ITEM_QUANTITY);
	item->refund_due = get_numeric(row, map, ITEM_REFUND_DUE);
	item->reason = get_text(row, map, ITEM_REASON);
	item->note = get_text(row, map, ITEM_NOTE);
	item->prior_status = get_text(row, map, ITEM_PRIOR_STATUS);
	item->restored = get_numeric(row, map, ITEM_RESTORED);
	if (keys)
	{
		for (int i = 0; i < keys->count; i++)
			key[i] = get_column(row, map, ITEM_COLUMNS + i).value;
		item->key = key_copy(keys->columns, keys->count, key);
	}
	return item;
}

/* Has the table, besides its fixed columns, one of an integer type? */
static bool
has_integer_key(Relation rel)
{
	TupleDesc desc = RelationGetDescr(rel);
	Oid		  type = InvalidOid;
	int		  own = -ITEM_COLUMNS;

	for (int i = 0; i < desc->natts; i++)
		own += !TupleDescAttr(desc, i)->attisdropped;
	for (int i = 0; i < desc->natts && own == 1; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool			  fixed = att->attisdropped;

		for (int j = 0; j < ITEM_COLUMNS; j++)
			fixed |= strcmp(NameStr(att->attname), item_columns[j].name) == 0;
		if (!fixed)
			type = getBaseType(att->atttypid);
	}
	return type == INT2OID || type == INT4OID || type == INT8OID;
}

static List *
read_items(const CancelTarget *c, Relation rel, int64 cancellation_id,
		   ReadSnapshot snapshot)
{
	Datum		id = Int64GetDatum(cancellation_id);
	List	   *found = NIL;
	RecordKeys	keys;
	RecordMap	map;
	IndexLookup lookup;
	bool		integer_key;

	if (c->item_table)
	{
		keys = record_keys_of_item(c->item_table);
		record_map(&map, item_columns, &keys, rel);
	}
	else if (!record_find_columns(map.attnums, item_columns, rel))
		record_raise_missing(psprintf("Table \"%s\" lacks a column.",
									  RelationGetRelationName(rel)));
	integer_key = c->item_table ? item_key_is_integer(c->item_table) :
								  has_integer_key(rel);
	begin_lookup(&lookup, rel, false, snapshot);
	for (bool row = index_lookup_find(&lookup, &id, ForwardScanDirection); row;
		 row = index_lookup_next(&lookup, ForwardScanDirection))
	{
		RecordItem *item = record_item_from_slot(c->item_table ? &keys : NULL,
												 &map, lookup.slot);

		item->integer_key = integer_key;
		found = lappend(found, item);
	}
	index_lookup_end(&lookup);
	return found;
}

static List *
read_archived_items(const CancelTarget *c, int64 cancellation_id,
					ReadSnapshot snapshot)
{
	List	 *found = NIL;
	ListCell *lc;

	foreach(lc, archive_tables(c->table->item_records))
	{
		Relation rel = record_try_open(lfirst_oid(lc), AccessShareLock);

		if (rel == NULL)
			continue;
		found = list_concat(found,
							read_items(c, rel, cancellation_id, snapshot));
		table_close(rel, NoLock);
	}
	return found;
}

List *
record_items_of(const CancelTarget *c, int64 cancellation_id,
				ReadSnapshot snapshot)
{
	List	*found;
	Relation rel;

	if (!OidIsValid(c->table->item_records))
		return NIL;
	rel = record_open(c->table->item_records, AccessShareLock);
	found = read_items(c, rel, cancellation_id, snapshot);
	if (OidIsValid(c->archive))
		found = list_concat(found,
							read_archived_items(c, cancellation_id, snapshot));
	table_close(rel, NoLock);
	return found;
}

void
record_update_items(CancelTarget *c)
{
	RecordKeys		keys;
	RecordWrite		w;
	IndexLookup		lookup;
	TupleTableSlot *fresh;
	ListCell	   *lc;

	if (c->items == NIL)
		return;
	keys = record_keys_of_item(c->item_table);
	record_write_begin(&w, c->table, item_columns, &keys,
					   c->table->item_records);
	fresh = table_slot_create(w.rel, NULL);
	begin_lookup(&lookup, w.rel, true, READ_CURRENT);
	foreach(lc, c->items)
	{
		ItemRow	   row = {c, lfirst(lc)};
		Parameters p;
		Datum	   key[2];

		if (!row.item->meant || !row.item->recorded)
			continue;
		key[0] = Int64GetDatum(c->record.id);
		key[1] = CStringGetTextDatum(row.item->key_text);
		if (!index_lookup_find(&lookup, key, ForwardScanDirection))
			record_raise_conflict(NULL);
		item_parameters(&row, 0, &p);
		record_fill_slot(fresh, lookup.slot, &p, &w.map);
		if (!direct_write_update(&w.write, lookup.slot, fresh,
								 record_raise_conflict, NULL))
			record_raise_not_written(w.rel);
	}
	index_lookup_end(&lookup);
	ExecDropSingleTupleTableSlot(fresh);
	record_write_end(&w);
}
