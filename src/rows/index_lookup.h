/*
 * row_probe.h — finding rows by an index, without a statement
 *
 * What `SELECT … WHERE key = $1` would find, at a fraction of its cost: the
 * executor is started and ended for every statement, an index scan is not.
 */
#ifndef ORDCANCEL_ROW_PROBE_H
#define ORDCANCEL_ROW_PROBE_H

#include "access/genam.h"
#include "access/sdir.h"
#include "access/skey.h"
#include "executor/tuptable.h"
#include "utils/relcache.h"

#include "config/order_table.h"
#include "rows/plan_cache.h"

typedef struct Probe
{
	Relation		rel;
	Relation		index;
	IndexScanDesc	scan;
	TupleTableSlot *slot; /* the row that was found */
	int				nkeys;
	ScanKeyData		keys[INDEX_MAX_KEYS];
} Probe;

/*
 * The index is a btree whose first columns are those keys, with their own
 * equality.  The caller holds a lock on the relation.  The snapshot of the
 * probe is the active one until it ends.
 */
extern void probe_begin(Probe *probe, Relation rel, Oid index,
						const Column *keys, int nkeys, Sight sight);

/* The first row with this key, from either end of the index. */
extern bool probe_find(Probe *probe, const Datum *key,
					   ScanDirection direction);

extern void probe_end(Probe *probe);

#endif /* ORDCANCEL_ROW_PROBE_H */
