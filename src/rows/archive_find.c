/*
 * archive_find.c — finds records in the archives
 */
#include "postgres.h"

#include "access/table.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/result_row.h"
#include "rows/archive.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"
#include "rows/record_open.h"
#include "rows/record_slot.h"

/*
 * A canceled order without a cancellation in effect was imported, or has it in an
 * archive.
 */
static bool
is_wanted(const CancelTarget *c)
{
	return c->result == TARGET_OPEN && archive_may_have(c) &&
		(!c->has_record || state_has_ended(c->record.state));
}

static void
find_order(CancelTarget *c, IndexLookup *lookup, const RecordMap *map)
{
	for (bool found = index_lookup_find(lookup, c->key, BackwardScanDirection);
		 found && is_wanted(c);
		 found = index_lookup_next(lookup, BackwardScanDirection))
	{
		CancelTarget here = {0};

		record_from_slot(&here, lookup->slot, map);
		c->any_record = true;
		if (here.record.items || !state_is_live(here.record.state))
			continue;
		c->has_record = true;
		c->record = here.record;
		c->archive = RelationGetRelid(lookup->rel);
	}
}

static void
find_in(CancelTarget *targets, int count, Oid archive, ReadSnapshot snapshot)
{
	OrderTable *table = targets[0].table;
	Relation	rel = record_try_open(archive, AccessShareLock);
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
		if (is_wanted(&targets[i]))
			find_order(&targets[i], &lookup, &map);
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
}

void
archive_find(CancelTarget *targets, int count, ReadSnapshot snapshot)
{
	bool	  any = false;
	ListCell *lc;

	for (int i = 0; i < count; i++)
		any |= is_wanted(&targets[i]);
	if (!any)
		return;
	foreach(lc, archive_tables(targets[0].table->cancellation_table))
	{
		find_in(targets, count, lfirst_oid(lc), snapshot);
	}
}

void
archive_find_id(CancelTarget *c, int64 id)
{
	ListCell *lc;

	foreach(lc, archive_tables(c->table->cancellation_table))
	{
		Relation rel = record_try_open(lfirst_oid(lc), AccessShareLock);

		if (rel == NULL)
			continue;
		record_find_id_in(c, rel, id);
		table_close(rel, NoLock);
		if (c->has_record)
		{
			c->archive = lfirst_oid(lc);
			return;
		}
	}
}

static NullableDatum
event_column(Relation rel, TupleTableSlot *row, const char *name)
{
	NullableDatum column;

	column.value = slot_getattr(row, record_column(rel, name), &column.isnull);
	return column;
}

static char *
event_text(Relation rel, TupleTableSlot *row, const char *name)
{
	NullableDatum column = event_column(rel, row, name);

	return nullable_text(column.value, column.isnull);
}

static void
read_call(Relation rel, TupleTableSlot *row, RecordedCall *past)
{
	NullableDatum at = event_column(rel, row, "at");

	past->order_key = event_text(rel, row, "order_key");
	past->source = event_text(rel, row, "source");
	state_from_name(event_text(rel, row, "state"), &past->state);
	past->order_status = event_text(rel, row, "to_status");
	past->at = nullable_time(at.value, at.isnull);
	past->cancellation_id = DatumGetInt64(
		event_column(rel, row, "cancellation_id").value);
}

bool
archive_find_request_key(const OrderTable *table, const char *key,
						 RecordedCall *past)
{
	static Column request_key = {0};
	Datum		  value = CStringGetTextDatum(key);
	bool		  found = false;
	ListCell	 *lc;

	if (!OidIsValid(request_key.equal_function.fn_oid))
		fmgr_info_cxt(F_TEXTEQ, &request_key.equal_function, TopMemoryContext);
	foreach(lc, archive_tables(table->event_table))
	{
		Relation	rel = record_try_open(lfirst_oid(lc), AccessShareLock);
		IndexLookup lookup;

		if (rel == NULL)
			continue;
		index_lookup_begin(&lookup, rel,
						   record_index(table, rel, RECORD_INDEX_REQUEST_KEY),
						   &request_key, 1, READ_LATEST);
		found = index_lookup_find(&lookup, &value, ForwardScanDirection);
		if (found)
			read_call(rel, lookup.slot, past);
		index_lookup_end(&lookup);
		table_close(rel, NoLock);
		if (found)
			break;
	}
	return found;
}
