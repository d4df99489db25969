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
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"

/*
 * Happens only if a superuser changes a record table, or the owner of its
 * schema drops it.
 */
pg_noreturn void
record_raise_missing(const char *detail)
{
	refusal_raise_invalid_policy(
		"a record table or one of its indexes is missing", detail,
		"Call ordcancel.attach() again to re-create it. The contents of a dropped table are lost.");
}

Relation
record_open(Oid relid, LOCKMODE lock)
{
	Relation rel = try_table_open(relid, lock);

	if (rel == NULL)
		record_raise_missing(
			psprintf("Relation with OID %u was dropped.", relid));
	return rel;
}

char *
record_table_label(Oid relid)
{
	char *name = get_rel_name(relid);

	if (name == NULL)
		record_raise_missing(
			psprintf("Relation with OID %u was dropped.", relid));
	return quote_qualified_identifier(get_namespace_name(
										  get_rel_namespace(relid)),
									  name);
}

static Party
get_party(const char *name, bool *known)
{
	Party party = PARTY_SYSTEM;

	*known = name != NULL;
	if (name)
		party_from_name(name, &party);
	return party;
}

static NullableDatum
get_column(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column;

	column.value = slot_getattr(row, map->attnums[c], &column.isnull);
	return column;
}

static char *
get_text(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return nullable_text(column.value, column.isnull);
}

static TimestampTz *
get_time(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return nullable_time(column.value, column.isnull);
}

static Numeric
get_numeric(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return nullable_numeric(column.value, column.isnull);
}

static struct varlena *
get_json(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return column.isnull ? NULL : PG_DETOAST_DATUM_COPY(column.value);
}

static void
fill_from_slot(CancelTarget *c, TupleTableSlot *row, const RecordMap *map)
{
	Cancellation *r = &c->record;
	char		 *scope;
	bool		  known;

	c->has_record = true;
	r->id = DatumGetInt64(
		slot_getattr(row, map->attnums[CANCELLATION_ID], &known));
	state_from_name(get_text(row, map, CANCELLATION_STATE), &r->state);
	r->order_key = get_text(row, map, CANCELLATION_ORDER_KEY);
	r->requested_by = get_party(get_text(row, map, CANCELLATION_REQUESTED_BY),
								&known);
	r->requested_actor = get_text(row, map, CANCELLATION_REQUESTED_ACTOR);
	r->decided_by = get_party(get_text(row, map, CANCELLATION_DECIDED_BY),
							  &r->decided);
	r->decided_actor = get_text(row, map, CANCELLATION_DECIDED_ACTOR);
	r->reason = get_text(row, map, CANCELLATION_REASON);
	r->note = get_text(row, map, CANCELLATION_NOTE);
	r->decision_note = get_text(row, map, CANCELLATION_DECISION_NOTE);
	r->undo_note = get_text(row, map, CANCELLATION_UNDO_NOTE);
	r->prior_status = get_text(row, map, CANCELLATION_PRIOR_STATUS);
	r->order_status = get_text(row, map, CANCELLATION_ORDER_STATUS);
	r->policy = get_text(row, map, CANCELLATION_POLICY);
	r->request_key = get_text(row, map, CANCELLATION_REQUEST_KEY);
	r->refund_due = get_numeric(row, map, CANCELLATION_REFUND_DUE);
	r->refunded = get_numeric(row, map, CANCELLATION_REFUNDED);
	r->requested_at = get_time(row, map, CANCELLATION_REQUESTED_AT);
	r->decided_at = get_time(row, map, CANCELLATION_DECIDED_AT);
	r->closed_at = get_time(row, map, CANCELLATION_CLOSED_AT);
	r->deadline = get_time(row, map, CANCELLATION_DEADLINE);
	scope = get_text(row, map, CANCELLATION_SCOPE);
	r->items = scope && strcmp(scope, "items") == 0;
	r->refund_owed = get_numeric(row, map, CANCELLATION_REFUND_OWED);
	r->metadata = (Jsonb *) get_json(row, map, CANCELLATION_METADATA);
	r->prior_values = get_json(row, map, CANCELLATION_PRIOR_VALUES);
}

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
			fill_from_slot(&targets[i], lookup.slot, map);
	index_lookup_end(&lookup);
}

/*
 * A canceled order without a cancellation in effect was imported, or has it in an
 * archive.
 */
static bool
needs_archive(const CancelTarget *c)
{
	return is_open(c) && archive_may_have(c) &&
		(!c->has_record || state_has_ended(c->record.state));
}

static void
find_in_archive(CancelTarget *targets, int count, Oid archive,
				ReadSnapshot snapshot)
{
	OrderTable *table = targets[0].table;
	Relation	rel = try_table_open(archive, AccessShareLock);
	RecordKeys	keys = record_keys_of_order(table);
	RecordMap	map;
	IndexLookup lookup;

	if (rel == NULL)
		return;
	record_map(&map, cancellation_columns, &keys, rel);
	index_lookup_begin(&lookup, rel,
					   record_index(table, rel, RECORD_INDEX_NEWEST),
					   table->keys, table->nkeys, snapshot);
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		for (bool found = needs_archive(c) &&
				 index_lookup_find(&lookup, c->key, BackwardScanDirection);
			 found && needs_archive(c);
			 found = index_lookup_next(&lookup, BackwardScanDirection))
		{
			CancelTarget here = {0};

			fill_from_slot(&here, lookup.slot, &map);
			c->any_record = true;
			if (here.record.items || !state_is_live(here.record.state))
				continue;
			c->has_record = true;
			c->record = here.record;
			c->archive = archive;
		}
	}
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
}

static void
find_archived(CancelTarget *targets, int count, ReadSnapshot snapshot)
{
	bool	  any = false;
	ListCell *lc;

	for (int i = 0; i < count; i++)
		any |= needs_archive(&targets[i]);
	if (!any)
		return;
	foreach(lc, archive_tables(targets[0].table->cancellation_table))
		find_in_archive(targets, count, lfirst_oid(lc), snapshot);
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
		find_archived(targets, count, snapshot);
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

		fill_from_slot(&part, lookup.slot, &map);
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

pg_noreturn static void
raise_not_latest(const CancelTarget *c)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
		 errmsg("could not serialize access due to concurrent cancellation"),
		 errdetail(
			 "A cancellation of order %s of %s was written after this transaction began.",
			 c->key_text, c->table->label),
		 errhint("The transaction might succeed if retried.")));
}

static void
check_is_latest(const CancelTarget *c, const CancelTarget *latest)
{
	if (latest->has_record != c->has_record ||
		latest->record.id != c->record.id ||
		latest->record.state != c->record.state)
		raise_not_latest(c);
}

static void
check_parts_are_latest(const CancelTarget *c, List *latest)
{
	ListCell *a;
	ListCell *b;

	if (list_length(c->parts) != list_length(latest))
		raise_not_latest(c);
	forboth(a, c->parts, b, latest)
	{
		const Cancellation *x = lfirst(a);
		const Cancellation *y = lfirst(b);

		if (x->id != y->id || x->state != y->state)
			raise_not_latest(c);
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
			archive_lock(targets[i].table);
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

static void
find_by_id(CancelTarget *c, Relation rel, int64 id)
{
	Datum		key = Int64GetDatum(id);
	RecordKeys	keys = record_keys_of_order(c->table);
	RecordMap	map;
	IndexLookup lookup;

	record_map(&map, cancellation_columns, &keys, rel);
	record_lookup_by_id(&lookup, c->table, rel, READ_LATEST);
	if (index_lookup_find(&lookup, &key, ForwardScanDirection))
		fill_from_slot(c, lookup.slot, &map);
	index_lookup_end(&lookup);
}

static void
find_by_id_in_archives(CancelTarget *c, int64 id)
{
	ListCell *lc;

	foreach(lc, archive_tables(c->table->cancellation_table))
	{
		Relation rel = try_table_open(lfirst_oid(lc), AccessShareLock);

		if (rel == NULL)
			continue;
		find_by_id(c, rel, id);
		table_close(rel, NoLock);
		if (c->has_record)
		{
			c->archive = lfirst_oid(lc);
			return;
		}
	}
}

void
record_reread(CancelTarget *c)
{
	Relation rel = record_open(c->table->cancellation_table, AccessShareLock);
	int64	 id = c->record.id;

	c->has_record = false;
	c->archive = InvalidOid;
	memset(&c->record, 0, sizeof(Cancellation));
	find_by_id(c, rel, id);
	if (!c->has_record && rel->rd_rel->relhassubclass)
		find_by_id_in_archives(c, id);
	table_close(rel, NoLock);
}
