/*
 * order_call_key.c — finds orders by the first columns of their key
 *
 * The primary key of a partitioned table has the columns that it is partitioned
 * by, such as (id, placed_at), although the id alone is unique.  So a call may
 * name an order by the id.
 */
#include "postgres.h"

#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "rows/key.h"
#include "rows/order_call_key.h"
#include "rows/place.h"

static Datum *
key_of_slot(const OrderTable *table, const Place *place, TupleTableSlot *slot)
{
	Datum key[INDEX_MAX_KEYS];
	bool  isnull;

	for (int i = 0; i < table->nkeys; i++)
		key[i] = slot_getattr(slot, place_attnum(place, table->keys[i].attnum),
							  &isnull);
	return key_copy(table->keys, table->nkeys, key);
}

List *
order_call_key_find(const OrderTable *table, const Datum *call_key,
					ReadSnapshot snapshot)
{
	List	 *found = NIL;
	Places	  places;
	List	 *all;
	ListCell *lc;

	read_snapshot_push(snapshot);
	places_begin(&places, table, AccessShareLock);
	all = places_all(&places);
	foreach(lc, all)
	{
		Place		*place = lfirst(lc);
		IndexLookup *lookup = place_lookup(&places, place, table->ncall_keys);

		for (bool more =
				 index_lookup_find(lookup, call_key, ForwardScanDirection);
			 more; more = index_lookup_next(lookup, ForwardScanDirection))
			found = lappend(found, key_of_slot(table, place, lookup->slot));
	}
	places_end(&places);
	PopActiveSnapshot();
	return found;
}
