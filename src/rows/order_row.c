/*
 * order_row.c — locks and reads rows of the order table
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/sysattr.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/read_snapshot.h"
#include "base/stable_settings.h"
#include "base/virtual_columns.h"
#include "config/policy_cache.h"
#include "config/status_equality.h"
#include "rows/column_value.h"
#include "rows/index_lookup.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/place.h"
#include "rows/row_lock.h"

const char *
order_only(const OrderTable *table)
{
	return table->partitioned ? "" : "ONLY ";
}

void
order_columns_sql(StringInfo sql, const OrderTable *table)
{
	const Column *optional[] = {&table->placed_at, &table->policy_by,
								&table->status_since};
	const char	 *o = table->alias;

	appendStringInfo(sql, "SELECT %s.%s", o,
					 quote_identifier(table->status.name));
	for (int i = 0; i < lengthof(optional); i++)
	{
		if (optional[i]->attnum)
			appendStringInfo(sql, ", %s.%s", o,
							 quote_identifier(optional[i]->name));
		else
			appendStringInfoString(sql, ", NULL");
	}
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(sql, ", %s.%s", o,
						 quote_identifier(table->keys[i].name));
}

static TimestampTz *
read_time(const OrderTable *table, const Column *column, Datum value)
{
	TimestampTz *at = palloc(sizeof(TimestampTz));
	Oid			 type = column->base;

	if (type == DATEOID)
		value = DirectFunctionCall1(date_timestamp, value);
	if (type != TIMESTAMPTZOID)
		value = DirectFunctionCall2(timestamp_zone,
									CStringGetTextDatum(table->time_zone),
									value);
	*at = DatumGetTimestampTz(value);
	return at;
}

TimestampTz *
order_placed_at(const OrderTable *table, Datum value)
{
	return read_time(table, &table->placed_at, value);
}

/*
 * A date, for instance, is turned into the policy's name with fixed settings,
 * so that the caller's DateStyle cannot select another policy.
 */
static char *
policy_name(const OrderTable *table, Datum value)
{
	int	  nest = table->policy_has_format ?
		  stable_settings_begin(table->time_zone) :
		  0;
	char *name = column_to_text(&table->policy_by, value);

	if (nest)
		stable_settings_end(nest);
	return name;
}

void
order_from_columns(CancelTarget *c, const Datum *values, const bool *nulls,
				   const Datum *key)
{
	OrderTable *table = c->table;

	c->raw_status = nulls[0] ? NULL :
							   column_to_text(&table->status, values[0]);
	c->placed_at = nulls[1] ? NULL : order_placed_at(table, values[1]);
	c->status_since = nulls[3] ?
		NULL :
		read_time(table, &table->status_since, values[3]);
	c->policy_name = nulls[2] ? NULL : policy_name(table, values[2]);
	c->policy = policy_cache_get(table, c->policy_name);
	c->status = nulls[0] ?
		NULL :
		status_equality_canonical(table, c->policy, values[0], c->raw_status);
	c->kind = policy_cache_status_kind(table, c->policy, c->status);
	c->key = palloc(table->nkeys * sizeof(Datum));
	for (int i = 0; i < table->nkeys; i++)
		c->key[i] = datumCopy(key[i], table->keys[i].typbyval,
							  table->keys[i].typlen);
	c->key_text = order_key_text(table, c->key);
	c->row = NULL;
	c->expr_known = false;
}

/* Fills a target from a row of a relation; "map" leads to the table's type. */
static void
from_row(CancelTarget *c, HeapTuple row, Relation rel,
		 const TupleConversionMap *map)
{
	OrderTable		 *table = c->table;
	TupleDesc		  desc = RelationGetDescr(rel);
	HeapTuple		  tuple = virtual_columns_computed(row, rel);
	const Column	 *columns[] = {&table->status, &table->placed_at,
								   &table->policy_by, &table->status_since};
	const AttrNumber *attnums = map ? map->attrMap->attnums : NULL;
	Datum			  values[ORDER_COLUMNS];
	bool			  nulls[ORDER_COLUMNS] = {false};
	Datum			  key[INDEX_MAX_KEYS];
	bool			  isnull;

	for (int i = 0; i < lengthof(columns); i++)
	{
		AttrNumber attnum = columns[i]->attnum;

		nulls[i] = attnum == 0;
		if (!nulls[i])
			values[i] = heap_getattr(tuple,
									 attnums ? attnums[attnum - 1] : attnum,
									 desc, &nulls[i]);
	}
	for (int i = 0; i < table->nkeys; i++)
	{
		AttrNumber attnum = table->keys[i].attnum;

		key[i] = heap_getattr(tuple, attnums ? attnums[attnum - 1] : attnum,
							  desc, &isnull);
	}
	order_from_columns(c, values, nulls, key);
}

void
order_from_tuple(CancelTarget *c, HeapTuple row, Relation rel)
{
	from_row(c, row, rel, NULL);
	c->row = row;
}

static void
fill_from_slot(CancelTarget *c, const Place *place, TupleTableSlot *slot)
{
	bool	  copied;
	bool	  isnull;
	HeapTuple row = ExecFetchSlotHeapTuple(slot, false, &copied);

	from_row(c, row, place->rel, place->map);
	c->place = RelationGetRelid(place->rel);
	c->tid = slot->tts_tid;
	c->xmin = DatumGetTransactionId(
		slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));
	if (copied)
		heap_freetuple(row);
}

static bool
key_equal(const OrderTable *table, const Place *place, const Datum *key,
		  TupleTableSlot *slot)
{
	bool isnull;

	for (int i = 0; i < table->nkeys; i++)
		if (!DatumGetBool(FunctionCall2Coll(
				(FmgrInfo *) &table->keys[i].equal_function,
				table->keys[i].collation, key[i],
				slot_getattr(slot, place_attnum(place, table->keys[i].attnum),
							 &isnull))))
			return false;
	return true;
}

static TargetResult
lock_slot(const CancelTarget *c, const Place *place, TupleTableSlot *slot,
		  bool skip_locked)
{
	switch (row_lock(place->rel, slot, skip_locked))
	{
		case ROW_LOCKED:
			return TARGET_OPEN;
		case ROW_LOCKED_LATER:
			return key_equal(c->table, place, c->key, slot) ? TARGET_OPEN :
															  TARGET_NOT_FOUND;
		case ROW_BUSY:
			return TARGET_LOCKED;
		case ROW_GONE:
			break;
	}
	return TARGET_NOT_FOUND;
}

/* How find_orders() reads. */
typedef struct Find
{
	Places places;
	bool   lock;
	bool   skip_locked;
	bool   keep_row; /* also_set() needs it, and it is one row */
} Find;

/* A copy in the table's row type. */
static HeapTuple
kept_row(const Place *place, TupleTableSlot *slot)
{
	bool	  copied;
	HeapTuple row;

	if (place->map == NULL)
		return ExecCopySlotHeapTuple(slot);
	row = ExecFetchSlotHeapTuple(slot, false, &copied);
	return execute_attr_map_tuple(row, place->map);
}

static void
find_order(Find *find, CancelTarget *c)
{
	Place		*place = places_of_key(&find->places, c->key);
	IndexLookup *lookup = NULL;

	if (place)
		lookup = place_lookup(&find->places, place, c->table->nkeys);
	if (lookup == NULL ||
		!index_lookup_find(lookup, c->key, ForwardScanDirection))
		c->result = TARGET_NOT_FOUND;
	else if (find->lock)
	{
		/* In case waiting for the lock ends in an error. */
		c->result = TARGET_LOCKED;
		c->result = lock_slot(c, place, lookup->slot, find->skip_locked);
	}
	if (c->result != TARGET_OPEN)
		return;
	fill_from_slot(c, place, lookup->slot);
	if (find->keep_row)
		c->row = kept_row(place, lookup->slot);
}

/* Reads and optionally locks open targets. */
static void
find_orders(CancelTarget *targets, int count, ReadSnapshot snapshot, bool lock,
			bool skip_locked)
{
	Find find = {.lock = lock,
				 .skip_locked = skip_locked,
				 .keep_row = lock && count == 1 &&
					 targets[0].table->nalso_set > 0};

	places_begin(&find.places, targets[0].table,
				 lock ? RowShareLock : AccessShareLock);
	if (lock)
		PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
	read_snapshot_push(snapshot);
	for (int i = 0; i < count; i++)
	{
		if (targets[i].result != TARGET_OPEN)
			continue;
		CHECK_FOR_INTERRUPTS();
		find_order(&find, &targets[i]);
	}
	places_end(&find.places);
	PopActiveSnapshot();
	order_hide_deleted(targets, count);
}

void
order_lock(CancelTarget *targets, int count, bool skip_locked)
{
	find_orders(targets, count, READ_CURRENT, true, skip_locked);
}

void
order_read(CancelTarget *targets, int count, ReadSnapshot snapshot)
{
	find_orders(targets, count, snapshot, false, false);
}
