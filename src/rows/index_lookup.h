/*
 * index_lookup.h — finding rows by an index, without a statement
 *
 * What `SELECT … WHERE key = $1` would find, at a fraction of its cost: the
 * executor is started and ended for every statement, an index scan is not.
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
 * The index is a btree whose first columns are those keys, with their own
 * equality.  The caller holds a lock on the relation.  The snapshot of the
 * probe is the active one until it ends.
 */
extern void index_lookup_begin(IndexLookup *lookup, Relation rel, Oid index,
							   const Column *keys, int nkeys,
							   ReadSnapshot snapshot);

/* The first row with this key, from either end of the index. */
extern bool index_lookup_find(IndexLookup *lookup, const Datum *key,
							  ScanDirection direction);

extern void index_lookup_end(IndexLookup *lookup);

#endif /* ORDCANCEL_INDEX_LOOKUP_H */
