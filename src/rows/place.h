/*
 * place.h — the heaps in which the orders of a table are
 *
 * Rules are for the attached table.  Its rows are in a place: the table itself,
 * or a leaf partition if it is partitioned.  A partition may have the columns
 * in another order than the table.
 *
 * Places keeps those that one call uses open, in the memory context in which
 * places_begin() was called.  Locks on them are held until the transaction
 * ends.
 */
#ifndef ORDCANCEL_PLACE_H
#define ORDCANCEL_PLACE_H

#include "access/tupconvert.h"
#include "executor/tuptable.h"
#include "nodes/pg_list.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "config/order_table.h"
#include "rows/index_lookup.h"

typedef struct Place
{
	Relation			rel;
	TupleConversionMap *map;	/* of its rows to the table's row type, or NULL
							  * if they have that already */
	IndexLookup		   *lookup; /* in its primary key, once it has begun */
	TupleTableSlot	   *row;	/* for a row of it, once it was asked for */
	TupleTableSlot	   *fresh;	/* for a new version of it, likewise */
} Place;

typedef struct Places
{
	const OrderTable *table;
	Relation		  rel; /* the attached table */
	LOCKMODE		  lock;
	MemoryContext	  context;
	Place			 *last;	  /* the one that was used last, or NULL */
	List			 *opened; /* of Place */
} Places;

extern void places_begin(Places *places, const OrderTable *table,
						 LOCKMODE lock);
extern void places_end(Places *places);

/*
 * The place of orders with this key, or NULL if there is no partition for it.
 * OC014 if that is not stored by heap or has no primary key.
 */
extern Place *places_of_key(Places *places, const Datum *key);

/* The place that is this relation: the table or a leaf partition of it. */
extern Place *places_of_row(Places *places, Oid relid);

/* All places of the table. */
extern List *places_all(Places *places);

/*
 * Begins a lookup in the first "nkeys" columns of the primary key of the place, with the active snapshot, if
 * it has not begun; places_end() ends it.
 */
extern IndexLookup *place_lookup(Places *places, Place *place, int nkeys);

/* A slot for a row of the place. */
extern TupleTableSlot *place_row(Places *places, Place *place);

/* A virtual slot for a new version of a row of the place. */
extern TupleTableSlot *place_fresh(Places *places, Place *place);

/* The position in the place of a column of the table. */
static inline AttrNumber
place_attnum(const Place *place, AttrNumber attnum)
{
	return place->map ? place->map->attrMap->attnums[attnum - 1] : attnum;
}

#endif /* ORDCANCEL_PLACE_H */
