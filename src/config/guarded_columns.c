/*
 * guarded_columns.c — the columns whose changes the update trigger checks
 *
 * attach() names these columns in an always true WHEN condition of the trigger
 * for DELETE.  So PostgreSQL refuses to drop them, follows their renaming, and
 * lists them in pg_depend.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/dependency.h"
#include "catalog/indexing.h"
#include "catalog/partition.h"
#include "catalog/pg_class.h"
#include "catalog/pg_depend.h"
#include "catalog/pg_trigger.h"
#include "commands/trigger.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/relid_cache.h"
#include "config/guarded_columns.h"
#include "config/order_table_columns.h"
#include "config/shard.h"

#define GUARD_DELETE "!ordcancel_guard_delete"

/* The primary key, the status, policy_by, and those in deleted_when. */
#define GUARDED_MAX (INDEX_MAX_KEYS + 2 + 30)

typedef struct GuardedEntry
{
	RelidCacheEntry cached;
	int				count;
	AttrNumber		columns[GUARDED_MAX];
} GuardedEntry;

static RelidCache guarded;

void
guarded_columns_init(void)
{
	relid_cache_init(&guarded, "ordcancel guarded columns",
					 sizeof(GuardedEntry));
}

/* The columns of a relation that the trigger depends on; 0 if too many. */
static int
read_columns(Oid relid, Oid trigger, AttrNumber *columns)
{
	Relation	depend = table_open(DependRelationId, AccessShareLock);
	ScanKeyData key[2];
	SysScanDesc scan;
	HeapTuple	row;
	int			count = 0;

	ScanKeyInit(&key[0], Anum_pg_depend_classid, BTEqualStrategyNumber,
				F_OIDEQ, ObjectIdGetDatum(TriggerRelationId));
	ScanKeyInit(&key[1], Anum_pg_depend_objid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(trigger));
	scan = systable_beginscan(depend, DependDependerIndexId, true, NULL, 2,
							  key);
	while (HeapTupleIsValid(row = systable_getnext(scan)))
	{
		Form_pg_depend d = (Form_pg_depend) GETSTRUCT(row);

		if (d->refclassid != RelationRelationId || d->refobjid != relid ||
			d->refobjsubid <= 0)
			continue;
		if (count == GUARDED_MAX)
		{
			count = 0;
			break;
		}
		columns[count++] = d->refobjsubid;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return count;
}

/* On a shard its name ends in the shard's number. */
static Oid
find_trigger(Oid relid)
{
	Oid		 found = get_trigger_oid(relid, GUARD_DELETE, true);
	Oid		 function = InvalidOid;
	Relation rel;

	if (OidIsValid(found) || !shard_possible())
		return found;
	function = order_table_guard("guard_delete");
	rel = try_table_open(relid, AccessShareLock);
	for (int i = 0; rel && rel->trigdesc && i < rel->trigdesc->numtriggers;
		 i++)
		if (rel->trigdesc->triggers[i].tgfoid == function)
			found = rel->trigdesc->triggers[i].tgoid;
	if (rel)
		table_close(rel, AccessShareLock);
	return found;
}

/*
 * The clone of the trigger on a partition has no dependencies on columns, so
 * they are looked up on the attached ancestor and mapped by name.
 */
static int
find_columns(Oid relid, AttrNumber *columns)
{
	List *tables = list_concat(list_make1_oid(relid),
							   get_partition_ancestors(relid));
	int	  count = 0;

	for (int i = 0; i < list_length(tables) && count == 0; i++)
	{
		Oid table = list_nth_oid(tables, i);
		Oid trigger = find_trigger(table);

		if (!OidIsValid(trigger))
			continue;
		count = read_columns(table, trigger, columns);
		for (int j = 0; j < count && table != relid; j++)
			columns[j] = get_attnum(relid,
									get_attname(table, columns[j], false));
	}
	list_free(tables);
	return count;
}

/* Entries never move, so a pointer to the last one can be kept. */
static GuardedEntry *
entry_of(Oid relid)
{
	static GuardedEntry *last = NULL;

	if (last == NULL || last->cached.relid != relid)
		last = relid_cache_enter(&guarded, relid);
	return last;
}

int
guarded_columns_get(Relation rel, const AttrNumber **columns)
{
	Oid			  relid = RelationGetRelid(rel);
	GuardedEntry *entry = entry_of(relid);

	if (!entry->cached.valid || entry->count == 0)
	{
		AttrNumber fresh[GUARDED_MAX];

		entry->cached.valid = true;
		entry->count = 0;
		entry->count = find_columns(relid, fresh);
		memcpy(entry->columns, fresh, sizeof(fresh));
	}
	*columns = entry->columns;
	return entry->count;
}
