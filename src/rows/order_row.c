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
#include "rows/plan_cache.h"
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

static void
read_sql(StringInfo sql, const OrderTable *table)
{
	const char *o = table->alias;

	order_columns_sql(sql, table);
	appendStringInfo(sql, ", %s.tableoid, %s.ctid", o, o);
	appendStringInfo(sql, " FROM %s%s AS %s WHERE ", order_only(table),
					 table->label, o);
	order_key_qual(sql, table, o, NULL, 1);
}

static void
lock_sql(StringInfo sql, const OrderTable *table)
{
	read_sql(sql, table);

	/* Blocks every UPDATE and DELETE, but not foreign key checks. */
	appendStringInfoString(sql, " FOR NO KEY UPDATE");
}

static void
lock_skip_sql(StringInfo sql, const OrderTable *table)
{
	lock_sql(sql, table);
	appendStringInfoString(sql, " SKIP LOCKED");
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

static bool
fill_from_result(CancelTarget *c)
{
	int	  columns = ORDER_COLUMNS + c->table->nkeys;
	Datum values[PARAMETERS_MAX] = {0};
	bool  nulls[PARAMETERS_MAX] = {0};
	bool  isnull;

	if (SPI_processed == 0)
		return false;
	for (int i = 0; i < columns; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  i + 1, &nulls[i]);
	order_from_columns(c, values, nulls, values + ORDER_COLUMNS);
	c->row_rel = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc,
												columns + 1, &isnull));
	c->row_tid = *(ItemPointer) DatumGetPointer(
		SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
					  columns + 2, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static bool
read_by_statement(CancelTarget *c, StatementKind kind, StatementText text,
				  ReadSnapshot snapshot)
{
	Parameters p = {0};

	ItemPointerSetInvalid(&c->tid);
	parameter_key(&p, c->table, c->key);
	plan_cache_run(c->table, kind, text, &p, snapshot);
	return fill_from_result(c);
}

static void
lock_by_statement(CancelTarget *c, bool skip_locked)
{
	bool locked;

	c->result = TARGET_LOCKED; /* stays if the statement raises an error */
	locked = skip_locked ?
		read_by_statement(c, STATEMENT_LOCK_FREE_ORDER, lock_skip_sql,
						  READ_CURRENT) :
		read_by_statement(c, STATEMENT_LOCK_ORDER, lock_sql, READ_CURRENT);
	if (locked)
		c->result = TARGET_OPEN;
	else if (!skip_locked ||
			 !read_by_statement(c, STATEMENT_READ_ORDER, read_sql,
								READ_CURRENT))
		c->result = TARGET_NOT_FOUND;
}

void
order_from_tuple(CancelTarget *c, HeapTuple row, Relation rel)
{
	OrderTable	 *table = c->table;
	TupleDesc	  desc = RelationGetDescr(rel);
	HeapTuple	  tuple = virtual_columns_computed(row, rel);
	const Column *columns[] = {&table->status, &table->placed_at,
							   &table->policy_by, &table->status_since};
	Datum		  values[ORDER_COLUMNS];
	bool		  nulls[ORDER_COLUMNS] = {false};
	Datum		  key[INDEX_MAX_KEYS];
	bool		  isnull;

	for (int i = 0; i < lengthof(columns); i++)
	{
		nulls[i] = columns[i]->attnum == 0;
		if (!nulls[i])
			values[i] = heap_getattr(tuple, columns[i]->attnum, desc,
									 &nulls[i]);
	}
	for (int i = 0; i < table->nkeys; i++)
		key[i] = heap_getattr(tuple, table->keys[i].attnum, desc, &isnull);
	order_from_columns(c, values, nulls, key);
	c->row = row;
}

static void
fill_from_slot(CancelTarget *c, Relation rel, TupleTableSlot *slot)
{
	bool	  copied;
	bool	  isnull;
	HeapTuple row = ExecFetchSlotHeapTuple(slot, false, &copied);

	order_from_tuple(c, row, rel);
	c->row = NULL;
	c->row_rel = RelationGetRelid(rel);
	c->tid = c->row_tid = slot->tts_tid;
	c->xmin = DatumGetTransactionId(
		slot_getsysattr(slot, MinTransactionIdAttributeNumber, &isnull));
	if (copied)
		heap_freetuple(row);
}

static bool
key_equal(const OrderTable *table, const Datum *key, TupleTableSlot *slot)
{
	bool isnull;

	for (int i = 0; i < table->nkeys; i++)
		if (!DatumGetBool(FunctionCall2Coll(
				(FmgrInfo *) &table->keys[i].equal_function,
				table->keys[i].collation, key[i],
				slot_getattr(slot, table->keys[i].attnum, &isnull))))
			return false;
	return true;
}

static TargetResult
lock_slot(const CancelTarget *c, Relation rel, TupleTableSlot *slot,
		  bool skip_locked)
{
	switch (row_lock(rel, slot, skip_locked))
	{
		case ROW_LOCKED:
			return TARGET_OPEN;
		case ROW_LOCKED_LATER:
			return key_equal(c->table, c->key, slot) ? TARGET_OPEN :
													   TARGET_NOT_FOUND;
		case ROW_BUSY:
			return TARGET_LOCKED;
		case ROW_GONE:
			break;
	}
	return TARGET_NOT_FOUND;
}

/* Reads and optionally locks open targets, using the primary key index. */
static void
find_by_index(CancelTarget *targets, int count, ReadSnapshot snapshot,
			  bool lock, bool skip_locked)
{
	OrderTable *table = targets[0].table;
	Relation	rel = table_open(table->relid,
								 lock ? RowShareLock : AccessShareLock);
	IndexLookup lookup;

	if (lock)
		PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
	index_lookup_begin(&lookup, rel, table->key_index, table->keys,
					   table->nkeys, snapshot);
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		if (c->result != TARGET_OPEN)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (!index_lookup_find(&lookup, c->key, ForwardScanDirection))
			c->result = TARGET_NOT_FOUND;
		else if (lock)
		{
			/* In case waiting for the lock ends in an error. */
			c->result = TARGET_LOCKED;
			c->result = lock_slot(c, rel, lookup.slot, skip_locked);
		}
		if (c->result == TARGET_OPEN)
			fill_from_slot(c, rel, lookup.slot);
	}
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
}

void
order_lock(CancelTarget *targets, int count, bool skip_locked)
{
	if (!targets[0].table->partitioned)
		find_by_index(targets, count, READ_CURRENT, true, skip_locked);
	else
		for (int i = 0; i < count; i++)
			if (targets[i].result == TARGET_OPEN)
				lock_by_statement(&targets[i], skip_locked);
	order_hide_deleted(targets, count);
}

void
order_read(CancelTarget *targets, int count, ReadSnapshot snapshot)
{
	if (!targets[0].table->partitioned)
		find_by_index(targets, count, snapshot, false, false);
	else
		for (int i = 0; i < count; i++)
			if (targets[i].result == TARGET_OPEN &&
				!read_by_statement(&targets[i], STATEMENT_READ_ORDER, read_sql,
								   snapshot))
				targets[i].result = TARGET_NOT_FOUND;
	order_hide_deleted(targets, count);
}
