/*
 * order_image.c — the rows of orders, for the owner's expressions
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "funcapi.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/text.h"
#include "base/virtual_columns.h"
#include "rows/order_image.h"

void
order_images_begin(OrderImages *images, const OrderTable *table)
{
	memset(images, 0, sizeof(OrderImages));
	images->rel = table_open(table->relid, AccessShareLock);
	images->type = images->rel->rd_rel->reltype;
	images->context = CurrentMemoryContext;
}

static void
close_part(OrderImages *images)
{
	if (images->part == NULL)
		return;
	ExecDropSingleTupleTableSlot(images->slot);
	if (images->map)
		free_conversion_map(images->map);
	table_close(images->part, NoLock);
	images->part = NULL;
}

void
order_images_end(OrderImages *images)
{
	close_part(images);
	table_close(images->rel, NoLock);
}

static void
open_part(OrderImages *images, Oid relid)
{
	MemoryContext caller;

	if (images->part && RelationGetRelid(images->part) == relid)
		return;
	close_part(images);
	caller = MemoryContextSwitchTo(images->context);
	images->part = table_open(relid, AccessShareLock);
	images->slot = table_slot_create(images->part, NULL);
	images->map = relid == RelationGetRelid(images->rel) ?
		NULL :
		convert_tuples_by_name(RelationGetDescr(images->part),
							   RelationGetDescr(images->rel));
	MemoryContextSwitchTo(caller);
}

HeapTuple
order_images_row(OrderImages *images, const CancelTarget *c)
{
	HeapTuple row;
	bool	  copied;

	if (c->row)
		return c->row;
	open_part(images, c->row_rel);
	if (!table_tuple_fetch_row_version(images->part, (ItemPointer) &c->row_tid,
									   SnapshotAny, images->slot))
		elog(ERROR, "could not find row of order %s of %s",
			 text_clip(c->key_text, 80), c->table->label);
	row = ExecFetchSlotHeapTuple(images->slot, false, &copied);
	return images->map ? execute_attr_map_tuple(row, images->map) : row;
}

static bool
uses_virtual_column(const Bitmapset *columns, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		if ((bms_is_member(0, columns) || bms_is_member(i + 1, columns)) &&
			column_is_virtual(TupleDescAttr(desc, i)))
			return true;
	return false;
}

Datum
order_images_datum(OrderImages *images, const CancelTarget *c,
				   const Bitmapset *columns)
{
	TupleDesc desc = RelationGetDescr(images->rel);
	HeapTuple row = order_images_row(images, c);
	Datum	 *values = palloc0(desc->natts * sizeof(Datum));
	bool	 *nulls = palloc(desc->natts * sizeof(bool));
	bool	  whole = bms_is_member(0, columns);

	if (uses_virtual_column(columns, desc))
		row = virtual_columns_computed(row, images->rel);
	for (int i = 0; i < desc->natts; i++)
	{
		nulls[i] = TupleDescAttr(desc, i)->attisdropped ||
			!(whole || bms_is_member(i + 1, columns));
		if (!nulls[i])
			values[i] = heap_getattr(row, i + 1, desc, &nulls[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}
