/*
 * inheritance.c — the table that a table inherits from
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_inherits.h"
#include "utils/fmgroids.h"
#include "utils/snapmgr.h"

#include "base/inheritance.h"

static Oid
find_parent(Oid relid, Snapshot snapshot)
{
	Oid			parent = InvalidOid;
	Relation	catalog = table_open(InheritsRelationId, AccessShareLock);
	ScanKeyData key;
	SysScanDesc scan;
	HeapTuple	tuple;

	ScanKeyInit(&key, Anum_pg_inherits_inhrelid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(relid));
	scan = systable_beginscan(catalog, InheritsRelidSeqnoIndexId, true,
							  snapshot, 1, &key);
	tuple = systable_getnext(scan);
	if (HeapTupleIsValid(tuple))
		parent = ((Form_pg_inherits) GETSTRUCT(tuple))->inhparent;
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	return parent;
}

Oid
inheritance_parent(Oid relid)
{
	return find_parent(relid, NULL);
}

/* The row that the statement has deleted is there until VACUUM. */
Oid
inheritance_parent_of_dropped(Oid relid)
{
	return find_parent(relid, SnapshotAny);
}
