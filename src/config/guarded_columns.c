/*
 * guarded_columns.c — the columns of an order table whose changes are judged
 *
 * attach names them in the WHEN of the guard for deletes, which is always
 * true: so PostgreSQL keeps them, under whatever name, and they can be read
 * from pg_depend also while the rest of the configuration does not fit the
 * table any more.  Updates of other columns then still work.
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
#include "utils/hsearch.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "config/guarded_columns.h"

#define GUARD_DELETE "!ordcancel_guard_delete"

/* A primary key has at most INDEX_MAX_KEYS columns. */
#define GUARDED_MAX (INDEX_MAX_KEYS + 2)

typedef struct GuardedSlot
{
	Oid		   relid; /* hash key */
	bool	   valid;
	int		   count;
	AttrNumber columns[GUARDED_MAX];
} GuardedSlot;

static HTAB *slots = NULL;

/* Flags only, as in order_table.c. */
static void
invalidate(Datum arg, Oid relid)
{
	HASH_SEQ_STATUS seq;
	GuardedSlot	   *slot;

	if (relid != InvalidOid)
	{
		slot = hash_search(slots, &relid, HASH_FIND, NULL);
		if (slot)
			slot->valid = false;
		return;
	}
	hash_seq_init(&seq, slots);
	while ((slot = hash_seq_search(&seq)) != NULL)
		slot->valid = false;
}

void
guarded_columns_init(void)
{
	HASHCTL ctl = {.keysize = sizeof(Oid), .entrysize = sizeof(GuardedSlot)};

	slots = hash_create("ordcancel watched columns", 16, &ctl,
						HASH_ELEM | HASH_BLOBS);
	CacheRegisterRelcacheCallback(invalidate, (Datum) 0);
}

/* The columns of a relation that its trigger depends on. */
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

		if (d->refclassid == RelationRelationId && d->refobjid == relid &&
			d->refobjsubid > 0 && count < GUARDED_MAX)
			columns[count++] = d->refobjsubid;
	}
	systable_endscan(scan);
	table_close(depend, AccessShareLock);
	return count;
}

/* Of a partition the columns stand with the table that was attached. */
static int
find_columns(Oid relid, AttrNumber *columns)
{
	List *tables = list_concat(list_make1_oid(relid),
							   get_partition_ancestors(relid));
	int	  count = 0;

	for (int i = 0; i < list_length(tables) && count == 0; i++)
	{
		Oid table = list_nth_oid(tables, i);
		Oid trigger = get_trigger_oid(table, GUARD_DELETE, true);

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

/* Slots stay where they are for ever. */
static GuardedSlot *
slot_of(Oid relid)
{
	static GuardedSlot *last = NULL;
	bool				found;

	if (last && last->relid == relid)
		return last;
	last = hash_search(slots, &relid, HASH_ENTER, &found);
	if (!found)
		last->valid = false;
	return last;
}

int
guarded_columns_get(Relation rel, const AttrNumber **columns)
{
	Oid			 relid = RelationGetRelid(rel);
	GuardedSlot *slot = slot_of(relid);

	if (!slot->valid || slot->count == 0)
	{
		AttrNumber fresh[GUARDED_MAX];

		/* Set before: an invalidation that arrives meanwhile unsets it. */
		slot->valid = true;
		slot->count = 0;
		slot->count = find_columns(relid, fresh);
		memcpy(slot->columns, fresh, sizeof(fresh));
	}
	*columns = slot->columns;
	return slot->count;
}
