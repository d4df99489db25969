/*
 * index_lookup.h — finds rows by an index scan, without running a statement
 *
 * For a single row, starting and shutting down the executor would cost several
 * times as much as the index scan.
 */
#ifndef ORDCANCEL_INDEX_LOOKUP_H
#define ORDCANCEL_INDEX_LOOKUP_H

#include "access/genam.h"
#include "access/sdir.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"

#include "base/read_snapshot.h"
#include "config/order_table.h"

typedef struct IndexLookup
{
	Relation		rel;
	Relation		index;
	IndexScanDesc	scan;
	TupleTableSlot *slot; /* the row that was found */
	int				nkeys;
	ScanKeyData		keys[INDEX_MAX_KEYS];
} IndexLookup;

/*
 * Begins lookups in a btree index, whose first columns are "keys"; their
 * equality operators must be the index's.  The caller holds a lock on the
 * relation.  The snapshot stays the active one until index_lookup_end.
 */
extern void index_lookup_begin(IndexLookup *lookup, Relation rel, Oid index,
							   const Column *keys, int nkeys,
							   ReadSnapshot snapshot);

/*
 * Puts a row with this key into lookup->slot and returns true, or returns
 * false if there is none.  Of several rows, ForwardScanDirection finds the
 * first in the order of the index, BackwardScanDirection the last.
 */
extern bool index_lookup_find(IndexLookup *lookup, const Datum *key,
							  ScanDirection direction);

/* Puts the next row with the same key into the slot; false if there is none. */
extern bool index_lookup_next(IndexLookup *lookup, ScanDirection direction);

extern void index_lookup_end(IndexLookup *lookup);

#endif /* ORDCANCEL_INDEX_LOOKUP_H */
