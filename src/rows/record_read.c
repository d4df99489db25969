/*
 * record_read.c — finds orders' cancellations
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "base/read_snapshot.h"
#include "base/result_row.h"
#include "decision/refusal.h"
#include "rows/archive.h"
#include "rows/index_lookup.h"
#include "rows/order_key.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"
#include "rows/record_open.h"
#include "rows/record_slot.h"

static bool
is_open(const CancelTarget *c)
{
	return c->result == TARGET_OPEN;
}

/* Is it a part that is in progress or canceled? */
static bool
is_part_in_effect(const CancelTarget *c)
{
	return c->has_record && c->record.items &&
		c->record.state != STATE_REQUESTED && state_is_live(c->record.state);
}

/* The newest cancellation does not say whether the order has a live one. */
static bool
needs_live(const CancelTarget *c)
{
	return is_open(c) && c->has_record &&
		(state_has_ended(c->record.state) || is_part_in_effect(c));
}

/* Looks up the cancellations of the targets for which "matches" is true. */
static void
find_by_index(CancelTarget *targets, int					  count,
			  bool (*matches)(const CancelTarget *), Relation rel, Oid index,
			  const RecordMap *map, ReadSnapshot snapshot)
{
	OrderTable *table = targets[0].table;
	IndexLookup lookup;

	index_lookup_begin(&lookup, rel, index, table->keys, table->nkeys,
					   snapshot);
	for (int i = 0; i < count; i++)
		if (matches(&targets[i]) &&
			index_lookup_find(&lookup, targets[i].key, BackwardScanDirection))
			record_from_slot(&targets[i], lookup.slot, map);
	index_lookup_end(&lookup);
}

/*
 * If the newest cancellation of an order has ended, there is normally no live
 * one.  But a restored or reset ID sequence can make a live cancellation have
 * a lower ID, and one of some items need not be the one that is live for the
 * order.  So the index on live cancellations is searched as well.
 */
static void
find_cancellations(CancelTarget *targets, int count, ReadSnapshot snapshot)
{
	OrderTable *table = targets[0].table;
	Relation	rel = record_open(table->cancellation_table, AccessShareLock);
	RecordKeys	keys = record_keys_of_order(table);
	RecordMap	map;
	bool		any = false;

	record_map(&map, cancellation_columns, &keys, rel);
	for (int i = 0; i < count; i++)
	{
		targets[i].has_record = false;
		targets[i].parts_known = false;
		targets[i].archive = InvalidOid;
		memset(&targets[i].record, 0, sizeof(Cancellation));
	}
	find_by_index(targets, count, is_open, rel,
				  record_index(table, rel, RECORD_INDEX_NEWEST), &map,
				  snapshot);
	for (int i = 0; i < count; i++)
	{
		targets[i].any_record = targets[i].has_record;
		any |= needs_live(&targets[i]);
	}
	if (any)
		find_by_index(targets, count, needs_live, rel,
					  record_index(table, rel, RECORD_INDEX_LIVE), &map,
					  snapshot);
	for (int i = 0; i < count; i++)
		if (is_part_in_effect(&targets[i]))
			targets[i].has_record = false;
	if (rel->rd_rel->relhassubclass)
		archive_find(targets, count, snapshot);
	table_close(rel, NoLock);
}

/* Adds the IDs of undone cancellations, of any scope, to *undone. */
static List *
read_parts(const CancelTarget *c, ReadSnapshot snapshot, List **undone)
{
	OrderTable *table = c->table;
	Relation	rel = record_open(table->cancellation_table, AccessShareLock);
	RecordKeys	keys = record_keys_of_order(table);
	RecordMap	map;
	IndexLookup lookup;
	List	   *parts = NIL;

	record_map(&map, cancellation_columns, &keys, rel);
	index_lookup_begin(&lookup, rel,
					   record_index(table, rel, RECORD_INDEX_NEWEST),
					   table->keys, table->nkeys, snapshot);
	for (bool found = index_lookup_find(&lookup, c->key, ForwardScanDirection);
		 found; found = index_lookup_next(&lookup, ForwardScanDirection))
	{
		CancelTarget part = {0};

		record_from_slot(&part, lookup.slot, &map);
		if (is_part_in_effect(&part))
		{
			Cancellation *copy = palloc(sizeof(Cancellation));

			*copy = part.record;
			parts = lappend(parts, copy);
		}
		else if (undone && part.record.state == STATE_UNDONE)
		{
			int64 *id = palloc(sizeof(int64));

			*id = part.record.id;
			*undone = lappend(*undone, id);
		}
	}
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
	return parts;
}

void
record_raise_not_latest(const CancelTarget *c)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
		 errmsg("could not serialize access due to concurrent cancellation"),
		 errdetail(
			 "A cancellation of order %s of %s was written after this transaction began.",
			 order_key_text(c->table, c->key), c->table->label),
		 errhint("The transaction might succeed if retried.")));
}

/* Nor may it have been moved to an archive. */
static void
check_is_latest(const CancelTarget *c, const CancelTarget *latest)
{
	if (latest->has_record != c->has_record ||
		latest->record.id != c->record.id ||
		latest->record.state != c->record.state ||
		latest->archive != c->archive)
		record_raise_not_latest(c);
}

static void
check_parts_are_latest(const CancelTarget *c, List *latest)
{
	ListCell *a;
	ListCell *b;

	if (list_length(c->parts) != list_length(latest))
		record_raise_not_latest(c);
	forboth(a, c->parts, b, latest)
	{
		const Cancellation *x = lfirst(a);
		const Cancellation *y = lfirst(b);

		if (x->id != y->id || x->state != y->state)
			record_raise_not_latest(c);
	}
}

void
record_find_parts(CancelTarget *c, ReadSnapshot snapshot)
{
	if (c->parts_known)
		return;
	c->parts_known = true;
	c->parts = c->undone = NIL;
	if (!c->any_record || !OidIsValid(c->table->item_records))
		return;
	c->parts = read_parts(c, snapshot, &c->undone);
	if (snapshot == READ_CURRENT && IsolationUsesXactSnapshot())
		check_parts_are_latest(c, read_parts(c, READ_LATEST, NULL));
}

bool
record_find_id(CancelTarget *c, int64 id)
{
	CancelTarget found = *c;

	found.record.id = id;
	record_reread(&found);
	if (!found.has_record || strcmp(found.record.order_key, c->key_text) != 0)
		return false;
	c->has_record = true;
	c->record = found.record;
	c->archive = found.archive;
	return true;
}

/* What is found here may be written, so it must stay where it is. */
static void
lock_archives(const CancelTarget *targets, int count)
{
	for (int i = 0; i < count; i++)
		if (is_open(&targets[i]) && archive_may_have(&targets[i]))
		{
			archive_lock(targets[i].table->cancellation_table, ShareLock);
			return;
		}
}

void
record_find(CancelTarget *targets, int count)
{
	CancelTarget *latest;

	lock_archives(targets, count);
	if (!IsolationUsesXactSnapshot())
	{
		find_cancellations(targets, count, READ_CURRENT);
		return;
	}

	/*
	 * A cancellation does not always update the order row; a request, for
	 * instance, may leave the status unchanged.  So locking the row does not
	 * detect every cancellation that is newer than the transaction's snapshot,
	 * and we have to compare with the latest one.
	 */
	latest = palloc(count * sizeof(CancelTarget));
	memcpy(latest, targets, count * sizeof(CancelTarget));
	find_cancellations(latest, count, READ_LATEST);
	find_cancellations(targets, count, READ_CURRENT);
	for (int i = 0; i < count; i++)
		check_is_latest(&targets[i], &latest[i]);
	pfree(latest);
}

void
record_take_back(CancelTarget *targets, int count)
{
	for (int i = 0; i < count; i++)
		if (is_open(&targets[i]) && OidIsValid(targets[i].archive))
		{
			archive_return(&targets[i]);
			record_find(&targets[i], 1);
		}
}

void
record_peek(CancelTarget *targets, int count)
{
	find_cancellations(targets, count, READ_CALLER);
}

void
record_lookup_by_id(IndexLookup *lookup, const OrderTable *table, Relation rel,
					ReadSnapshot snapshot)
{
	static Column id = {0};

	if (!OidIsValid(id.equal_function.fn_oid))
		fmgr_info_cxt(F_INT8EQ, &id.equal_function, TopMemoryContext);
	index_lookup_begin(lookup, rel, record_index(table, rel, RECORD_INDEX_ID),
					   &id, 1, snapshot);
}

void
record_find_id_in(CancelTarget *c, Relation rel, int64 id)
{
	Datum		key = Int64GetDatum(id);
	RecordKeys	keys = record_keys_of_order(c->table);
	RecordMap	map;
	IndexLookup lookup;

	record_map(&map, cancellation_columns, &keys, rel);
	record_lookup_by_id(&lookup, c->table, rel, READ_LATEST);
	if (index_lookup_find(&lookup, &key, ForwardScanDirection))
		record_from_slot(c, lookup.slot, &map);
	index_lookup_end(&lookup);
}

void
record_reread(CancelTarget *c)
{
	Relation rel = record_open(c->table->cancellation_table, AccessShareLock);
	int64	 id = c->record.id;

	c->has_record = false;
	c->archive = InvalidOid;
	memset(&c->record, 0, sizeof(Cancellation));
	record_find_id_in(c, rel, id);
	if (!c->has_record && rel->rd_rel->relhassubclass)
		archive_find_id(c, id);
	table_close(rel, NoLock);
}
