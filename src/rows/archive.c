/*
 * archive.c — the records that archive_records() has moved
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tupconvert.h"
#include "catalog/pg_inherits.h"
#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/text.h"
#include "config/run_as.h"
#include "rows/archive.h"
#include "rows/record_columns.h"
#include "rows/record_delete.h"
#include "rows/record_index.h"
#include "rows/record_open.h"
#include "rows/record_rows.h"

static int
count_digits_at_end(const char *name, int length)
{
	int count = 0;

	while (count < length && name[length - 1 - count] >= '0' &&
		   name[length - 1 - count] <= '9')
		count++;
	return count;
}

/* Does it end with a month, _YYYY_MM? */
static bool
ends_with_month(const char *name, int length)
{
	return length >= 8 && name[length - 8] == '_' && name[length - 3] == '_' &&
		count_digits_at_end(name, length) == 2 &&
		count_digits_at_end(name, length - 3) == 4;
}

/* As ordcancel_internal.archives(): a number may follow the month. */
static bool
is_archive_name(const char *name)
{
	int length = strlen(name);
	int digits = count_digits_at_end(name, length);

	return ends_with_month(name, length) ||
		(digits > 0 && digits < length && name[length - digits - 1] == '_' &&
		 ends_with_month(name, length - digits - 1));
}

/* A superuser may have made other children, which ordcancel does not read. */
List *
archive_tables(Oid records)
{
	List	 *newest_first = NIL;
	ListCell *lc;

	if (!OidIsValid(records) || !has_subclass(records))
		return NIL;
	foreach(lc, find_inheritance_children(records, NoLock))
	{
		char *name = get_rel_name(lfirst_oid(lc));

		if (name && is_archive_name(name))
			newest_first = lcons_oid(lfirst_oid(lc), newest_first);
	}
	return newest_first;
}

/*
 * Does the status column have other values now than the statuses that were noted
 * say?  A label of an enum may have been renamed.
 */
static bool
is_renamed(const OrderTable *table, const char *status)
{
	return type_is_enum(table->status.base) &&
		!SearchSysCacheExists2(ENUMTYPOIDNAME,
							   ObjectIdGetDatum(table->status.base),
							   CStringGetDatum(status));
}

/*
 * Have records of orders with this status been moved, whatever it means now?  If
 * that is not known, or values of the column can be equal without having the same
 * text, any order may have been one.
 */
static bool
is_archived_status(const CancelTarget *c)
{
	const OrderTable *table = c->table;

	if (table->archived_statuses == NULL)
		return false;
	if (table->narchived_statuses == 0 || table->has_status_names)
		return true;
	for (int i = 0; i < table->narchived_statuses; i++)
	{
		const char *status = table->archived_statuses[i];

		if (equal_and_not_null(c->status, status) || is_renamed(table, status))
			return true;
	}
	return false;
}

bool
archive_may_have(const CancelTarget *c)
{
	return c->kind == STATUS_CANCELED ||
		(c->policy && c->status && status_is_closed(c->policy, c->status)) ||
		is_archived_status(c);
}

void
archive_lock(Oid cancellation_table, LOCKMODE mode)
{
	LOCKTAG tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, cancellation_table, 0, 1);
	(void) LockAcquire(&tag, mode, false, false);

	/* The record table may have got its first archive meanwhile. */
	AcceptInvalidationMessages();
}

/* Rows on their way from an archive to the record table. */
typedef struct Transfer
{
	RecordWrite			w;
	Relation			archive;
	IndexLookup			lookup;
	TupleConversionMap *map; /* NULL: they have the same columns */
	TupleTableSlot	   *row;
	AttrNumber			id;
	uint64				inserted;
} Transfer;

/* The slot has one column after the other, as the record table has them. */
static void
convert_row(Transfer *t)
{
	if (t->map)
		execute_attr_map_slot(t->map->attrMap, t->lookup.slot, t->row);
	else
	{
		direct_write_copy(t->row, t->lookup.slot);
		ExecStoreVirtualTuple(t->row);
	}
}

/*
 * Inserts the rows with this key, and adds their cancellation IDs to *ids, if
 * given.
 */
static void
insert_rows(Transfer *t, const Datum *key, List **ids)
{
	for (bool found = index_lookup_find(&t->lookup, key, ForwardScanDirection);
		 found; found = index_lookup_next(&t->lookup, ForwardScanDirection))
	{
		convert_row(t);
		if (!direct_write_insert(&t->w.write, t->row))
			record_raise_not_written(t->w.rel);
		t->inserted++;
		if (ids)
		{
			Datum *id = palloc(sizeof(Datum));
			bool   isnull;

			*id = slot_getattr(t->lookup.slot, t->id, &isnull);
			*ids = lappend(*ids, id);
		}
	}
}

/* Returns false if the archive was dropped meanwhile. */
static bool
begin_transfer(Transfer *t, const OrderTable *table, Oid archive, Oid records)
{
	t->archive = record_try_open(archive, RowExclusiveLock);
	if (t->archive == NULL)
		return false;
	record_write_begin_unmapped(&t->w, table, records);
	t->map = convert_tuples_by_name(RelationGetDescr(t->archive),
									RelationGetDescr(t->w.rel));
	t->row = MakeSingleTupleTableSlot(RelationGetDescr(t->w.rel),
									  &TTSOpsVirtual);
	t->id = record_column(t->archive, "cancellation_id");
	t->inserted = 0;
	return true;
}

static void
end_transfer(Transfer *t)
{
	index_lookup_end(&t->lookup);
	ExecDropSingleTupleTableSlot(t->row);
	record_write_end(&t->w);
	table_close(t->archive, NoLock);
}

/* Returns the number of rows. */
static uint64
copy_cancellations(const CancelTarget *c, Oid archive, List **ids)
{
	const OrderTable *table = c->table;
	Transfer		  t;

	if (!begin_transfer(&t, table, archive, table->cancellation_table))
		return 0;
	index_lookup_begin(&t.lookup, t.archive,
					   record_index(table, t.archive, RECORD_INDEX_NEWEST),
					   table->keys, table->nkeys, READ_LATEST);
	insert_rows(&t, c->key, ids);
	end_transfer(&t);
	return t.inserted;
}

/* Events or items; returns the number of rows. */
static uint64
copy_others(const OrderTable *table, Oid archive, Oid records, List *ids)
{
	Transfer  t;
	ListCell *lc;

	if (!begin_transfer(&t, table, archive, records))
		return 0;
	record_lookup_by_cancellation(&t.lookup, t.archive);
	foreach(lc, ids)
	{
		insert_rows(&t, lfirst(lc), NULL);
	}
	end_transfer(&t);
	return t.inserted;
}

static Datum
id_array(List *ids)
{
	Datum	 *values = palloc(list_length(ids) * sizeof(Datum));
	int		  n = 0;
	ListCell *lc;

	foreach(lc, ids)
		values[n++] = *(Datum *) lfirst(lc);
	return PointerGetDatum(construct_array(values, n, INT8OID, sizeof(int64),
										   FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
}

/* Returns the number of rows. */
static uint64
delete_rows(List *archives, Datum ids)
{
	Oid		  type = INT8ARRAYOID;
	uint64	  deleted = 0;
	ListCell *lc;

	foreach(lc, archives)
		deleted += record_delete(
			lfirst_oid(lc),
			psprintf(
				"DELETE FROM ONLY %s AS r"
				" WHERE r.cancellation_id OPERATOR(pg_catalog.=) ANY ($1)",
				record_table_label(lfirst_oid(lc))),
			1, &type, &ids);
	return deleted;
}

void
archive_return(const CancelTarget *c)
{
	const OrderTable *table = c->table;
	MemoryContext	  caller = CurrentMemoryContext;
	Oid				  others[] = {table->event_table, table->item_records};
	List			 *used = NIL; /* from which rows were copied */
	List			 *ids = NIL;
	uint64			  copied = 0;
	uint64			  deleted;
	ListCell		 *lc;
	RunAsScope		  scope;

	foreach(lc, archive_tables(table->cancellation_table))
	{
		uint64 rows = copy_cancellations(c, lfirst_oid(lc), &ids);

		if (rows > 0)
			used = lappend_oid(used, lfirst_oid(lc));
		copied += rows;
	}
	if (ids == NIL)
		return;
	for (int i = 0; i < lengthof(others); i++)
		foreach(lc, archive_tables(others[i]))
		{
			uint64 rows = copy_others(table, lfirst_oid(lc), others[i], ids);

			if (rows > 0)
				used = lappend_oid(used, lfirst_oid(lc));
			copied += rows;
		}
	run_as_extension_owner(&scope);
	deleted = delete_rows(used, id_array(ids));
	run_as_end(&scope);

	/* What was moved after the transaction's snapshot was taken is not in it. */
	if (deleted != copied)
		record_raise_not_latest(c);
	MemoryContextSwitchTo(caller);
}
