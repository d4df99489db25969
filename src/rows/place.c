/*
 * place.c — the heaps in which the orders of a table are
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "config/order_table_check.h"
#include "config/order_table_columns.h"
#include "decision/refusal.h"
#include "rows/partition_map.h"
#include "rows/partition_of_key.h"
#include "rows/place.h"

void
places_begin(Places *places, const OrderTable *table, LOCKMODE lock)
{
	if (table->distributed)
		shard_raise_elsewhere(table->label);
	memset(places, 0, sizeof(Places));
	places->table = table;
	places->rel = table_open(table->relid, lock);
	places->lock = lock;
	places->context = CurrentMemoryContext;
}

static void
close_place(Places *places, Place *place)
{
	if (place->lookup)
	{
		index_lookup_end(place->lookup);
		pfree(place->lookup);
	}
	if (place->row)
		ExecDropSingleTupleTableSlot(place->row);
	if (place->fresh)
		ExecDropSingleTupleTableSlot(place->fresh);
	if (place->map)
		free_conversion_map(place->map);
	if (place->rel != places->rel)
		table_close(place->rel, NoLock);
	pfree(place);
}

void
places_end(Places *places)
{
	ListCell *lc;

	foreach(lc, places->opened)
	{
		close_place(places, lfirst(lc));
	}
	list_free(places->opened);
	table_close(places->rel, NoLock);
}

static Place *
open_place(Places *places, Oid relid)
{
	MemoryContext caller = MemoryContextSwitchTo(places->context);
	Place		 *place = palloc0(sizeof(Place));

	if (relid == places->table->relid)
		place->rel = places->rel;
	else
	{
		place->rel = table_open(relid, places->lock);
		order_table_refuse_not_heap(place->rel);
		place->map = partition_map(place->rel, places->rel);
	}
	places->opened = lappend(places->opened, place);
	MemoryContextSwitchTo(caller);
	return place;
}

Place *
places_of_row(Places *places, Oid relid)
{
	ListCell *lc;

	if (places->last && RelationGetRelid(places->last->rel) == relid)
		return places->last;
	foreach(lc, places->opened)
	{
		places->last = lfirst(lc);
		if (RelationGetRelid(places->last->rel) == relid)
			return places->last;
	}
	places->last = open_place(places, relid);
	return places->last;
}

Place *
places_of_key(Places *places, const Datum *key)
{
	Oid relid = places->table->relid;

	if (places->table->partitioned)
		relid = partition_of_key(places->table, places->rel, key,
								 places->lock);
	return OidIsValid(relid) ? places_of_row(places, relid) : NULL;
}

List *
places_all(Places *places)
{
	List	 *all = NIL;
	List	 *leaves;
	ListCell *lc;

	if (!places->table->partitioned)
		return list_make1(places_of_row(places, places->table->relid));
	leaves = partition_leaves(places->rel, places->lock);
	foreach(lc, leaves)
		all = lappend(all, places_of_row(places, lfirst_oid(lc)));
	return all;
}

/* A partition has an index for each of the table's. */
static Oid
key_index(const Places *places, const Place *place)
{
	Oid index;

	if (place->rel == places->rel)
		return places->table->key_index;
	index = order_table_primary_key(place->rel);
	if (!OidIsValid(index))
		refusal_raise_invalid_policy(
			psprintf("partition \"%s\" of %s has no primary key",
					 RelationGetRelationName(place->rel),
					 places->table->label),
			NULL, "Add the primary key again.");
	return index;
}

IndexLookup *
place_lookup(Places *places, Place *place, int nkeys)
{
	if (place->lookup == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(places->context);
		IndexLookup	 *lookup = palloc(sizeof(IndexLookup));

		index_lookup_begin(lookup, place->rel, key_index(places, place),
						   places->table->keys, nkeys, READ_CALLER);
		place->lookup = lookup;
		MemoryContextSwitchTo(caller);
	}
	return place->lookup;
}

TupleTableSlot *
place_row(Places *places, Place *place)
{
	if (place->row == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(places->context);

		place->row = table_slot_create(place->rel, NULL);
		MemoryContextSwitchTo(caller);
	}
	return place->row;
}

TupleTableSlot *
place_fresh(Places *places, Place *place)
{
	if (place->fresh == NULL)
	{
		MemoryContext caller = MemoryContextSwitchTo(places->context);

		place->fresh = MakeSingleTupleTableSlot(RelationGetDescr(place->rel),
												&TTSOpsVirtual);
		MemoryContextSwitchTo(caller);
	}
	return place->fresh;
}
