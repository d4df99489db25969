/*
 * order_image.c — the rows of orders, for the owner's expressions
 */
#include "postgres.h"

#include "access/htup_details.h"
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
	places_begin(&images->places, table, AccessShareLock);
	images->rel = images->places.rel;
	images->type = images->rel->rd_rel->reltype;
}

void
order_images_end(OrderImages *images)
{
	places_end(&images->places);
}

HeapTuple
order_images_row(OrderImages *images, const CancelTarget *c)
{
	Place		   *place;
	TupleTableSlot *slot;
	HeapTuple		row;
	bool			copied;

	if (c->row)
		return c->row;
	place = places_of_row(&images->places, c->place);
	slot = place_row(&images->places, place);
	if (!table_tuple_fetch_row_version(place->rel, (ItemPointer) &c->tid,
									   SnapshotAny, slot))
		elog(ERROR, "could not find row of order %s of %s",
			 text_clip(c->key_text, 80), c->table->label);
	row = ExecFetchSlotHeapTuple(slot, false, &copied);
	return place->map ? execute_attr_map_tuple(row, place->map) : row;
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
