/*
 * order_row.c — reading and writing the user's order row
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
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/stable_settings.h"
#include "base/virtual_columns.h"
#include "config/policy_cache.h"
#include "config/run_as.h"
#include "config/status_equality.h"
#include "decision/refusal.h"
#include "rows/index_lookup.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"

const char *
order_only(const OrderTable *table)
{
	return table->partitioned ? "" : "ONLY ";
}

static void
visible_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, "SELECT FROM %s%s AS o WHERE ", order_only(table),
					 table->label);
	order_key_qual(sql, table, "o", NULL, 1);
}

bool
order_sees_all(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

bool
order_visible(OrderTable *table, const Datum *key)
{
	Parameters p = {0};
	OwnerScope scope;
	bool	   visible;

	parameter_key(&p, table, key);
	reader_enter(&scope);
	visible = statement_run(table, STATEMENT_VISIBLE, visible_text, &p,
							SIGHT_NOW) > 0;
	owner_leave(&scope);
	return visible;
}

/* The columns of fill_from_result, in its order. */
static void
read_text(StringInfo sql, const OrderTable *table)
{
	const Column *optional[] = {&table->placed_at, &table->policy_by};
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
	if (order_has_facts(table))
		appendStringInfo(sql, ", %s.tableoid, %s.ctid", o, o);
	appendStringInfo(sql, " FROM %s%s AS %s WHERE ", order_only(table),
					 table->label, o);
	order_key_qual(sql, table, o, NULL, 1);
}

static void
lock_text(StringInfo sql, const OrderTable *table)
{
	read_text(sql, table);

	/* Enough against every update of the row, yet foreign keys may check. */
	appendStringInfoString(sql, " FOR NO KEY UPDATE");
}

static void
lock_free_text(StringInfo sql, const OrderTable *table)
{
	lock_text(sql, table);
	appendStringInfoString(sql, " SKIP LOCKED");
}

/* placed_at of whatever date type as an instant. */
static TimestampTz *
placed_at_instant(const OrderTable *table, Datum value)
{
	TimestampTz *at = palloc(sizeof(TimestampTz));
	Oid			 type = table->placed_at.base;

	if (type == DATEOID)
		value = DirectFunctionCall1(date_timestamp, value);
	if (type != TIMESTAMPTZOID)
		value = DirectFunctionCall2(timestamp_zone,
									CStringGetTextDatum(table->time_zone),
									value);
	*at = DatumGetTimestampTz(value);
	return at;
}

/* No setting of a caller's may choose another policy. */
static char *
policy_name(const OrderTable *table, Datum value)
{
	int	  nest = table->policy_has_format ? formats_fix(table->time_zone) : 0;
	char *name = column_to_text(&table->policy_by, value);

	if (nest)
		formats_restore(nest);
	return name;
}

static void
fill(OrderCase *c, const Datum *values, const bool *nulls, const Datum *key)
{
	OrderTable *table = c->table;

	c->raw_status = nulls[0] ? NULL :
							   column_to_text(&table->status, values[0]);
	c->placed_at = nulls[1] ? NULL : placed_at_instant(table, values[1]);
	c->policy_name = nulls[2] ? NULL : policy_name(table, values[2]);
	c->policy = order_table_policy(table, c->policy_name);
	c->status = nulls[0] ?
		NULL :
		order_status_word(table, c->policy, values[0], c->raw_status);
	c->kind = order_table_meaning(table, c->policy, c->status);
	c->key = palloc(table->nkeys * sizeof(Datum));
	for (int i = 0; i < table->nkeys; i++)
		c->key[i] = datumCopy(key[i], table->keys[i].typbyval,
							  table->keys[i].typlen);
	c->key_text = order_key_text(table, c->key);
	c->row = NULL;
	c->facts_known = false;
}

static bool
fill_from_result(OrderCase *c)
{
	int	  columns = 3 + c->table->nkeys;
	Datum values[PARAMETERS_MAX] = {0};
	bool  nulls[PARAMETERS_MAX] = {0};
	bool  isnull;

	if (SPI_processed == 0)
		return false;
	for (int i = 0; i < columns; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  i + 1, &nulls[i]);
	fill(c, values, nulls, values + 3);
	if (order_has_facts(c->table))
	{
		HeapTuple row = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;

		c->row_rel = DatumGetObjectId(
			SPI_getbinval(row, desc, columns + 1, &isnull));
		c->row_tid = *(ItemPointer) DatumGetPointer(
			SPI_getbinval(row, desc, columns + 2, &isnull));
	}
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static bool
get(OrderCase *c, StatementKind kind, StatementText text, Sight sight)
{
	Parameters p = {0};

	ItemPointerSetInvalid(&c->tid);
	parameter_key(&p, c->table, c->key);
	statement_run(c->table, kind, text, &p, sight);
	return fill_from_result(c);
}

static void
lock_by_statement(OrderCase *c, bool skip_locked)
{
	bool locked;

	c->result = CASE_LOCKED; /* until the statement has said otherwise */
	locked = skip_locked ?
		get(c, STATEMENT_LOCK_FREE_ORDER, lock_free_text, SIGHT_NOW) :
		get(c, STATEMENT_LOCK_ORDER, lock_text, SIGHT_NOW);
	if (locked)
		c->result = CASE_OPEN;
	else if (!skip_locked ||
			 !get(c, STATEMENT_READ_ORDER, read_text, SIGHT_NOW))
		c->result = CASE_NOT_FOUND;
}

void
order_from_tuple(OrderCase *c, HeapTuple row, Relation rel)
{
	OrderTable	 *table = c->table;
	TupleDesc	  desc = RelationGetDescr(rel);
	HeapTuple	  tuple = virtual_columns_computed(row, rel);
	const Column *columns[] = {&table->status, &table->placed_at,
							   &table->policy_by};
	Datum		  values[3];
	bool		  nulls[3] = {false};
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
	fill(c, values, nulls, key);
	c->row = row;
}

static void
fill_from_slot(OrderCase *c, Relation rel, TupleTableSlot *slot)
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

static void
raise_concurrent(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg(
					 "could not serialize access due to concurrent update")));
}

/*
 * Locks the row in the slot and leaves its last version there, as SELECT FOR
 * NO KEY UPDATE would.
 */
static CaseResult
lock_slot(const OrderCase *c, Relation rel, TupleTableSlot *slot,
		  bool skip_locked)
{
	TM_FailureData failure;
	uint8		   flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS;
	TM_Result	   result;

	if (!IsolationUsesXactSnapshot())
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	result = table_tuple_lock(rel, &slot->tts_tid, GetActiveSnapshot(), slot,
							  GetCurrentCommandId(false),
							  LockTupleNoKeyExclusive,
							  skip_locked ? LockWaitSkip : LockWaitBlock,
							  flags, &failure);
	switch (result)
	{
		case TM_Ok:
			/* Another order may have the key by now. */
			return failure.traversed && !key_equal(c->table, c->key, slot) ?
				CASE_NOT_FOUND :
				CASE_OPEN;
		case TM_WouldBlock:
			return CASE_LOCKED;
		case TM_Updated:
		case TM_Deleted:
			raise_concurrent();
			return CASE_NOT_FOUND;
		default:
			/* The statement that calls us is changing the row. */
			return CASE_NOT_FOUND;
	}
}

/* Orders that are on their way, one after another by the primary key. */
static void
probe_all(OrderCase *cases, int count, Sight sight, bool lock,
		  bool skip_locked)
{
	OrderTable *table = cases[0].table;
	Relation	rel = table_open(table->relid,
								 lock ? RowShareLock : AccessShareLock);
	Probe		probe;

	if (lock)
		PreventCommandIfReadOnly("SELECT FOR NO KEY UPDATE");
	probe_begin(&probe, rel, table->key_index, table->keys, table->nkeys,
				sight);
	for (int i = 0; i < count; i++)
	{
		OrderCase *c = &cases[i];

		if (c->result != CASE_OPEN)
			continue;
		CHECK_FOR_INTERRUPTS();
		if (!probe_find(&probe, c->key, ForwardScanDirection))
			c->result = CASE_NOT_FOUND;
		else if (lock)
		{
			/* Said before, so that an error leaves it to be seen. */
			c->result = CASE_LOCKED;
			c->result = lock_slot(c, rel, probe.slot, skip_locked);
		}
		if (c->result == CASE_OPEN)
			fill_from_slot(c, rel, probe.slot);
	}
	probe_end(&probe);
	table_close(rel, NoLock);
}

void
order_lock(OrderCase *cases, int count, bool skip_locked)
{
	if (!cases[0].table->partitioned)
		probe_all(cases, count, SIGHT_NOW, true, skip_locked);
	else
		for (int i = 0; i < count; i++)
			if (cases[i].result == CASE_OPEN)
				lock_by_statement(&cases[i], skip_locked);
}

void
order_read(OrderCase *cases, int count, Sight sight)
{
	if (!cases[0].table->partitioned)
		probe_all(cases, count, sight, false, false);
	else
		for (int i = 0; i < count; i++)
			if (cases[i].result == CASE_OPEN &&
				!get(&cases[i], STATEMENT_READ_ORDER, read_text, sight))
				cases[i].result = CASE_NOT_FOUND;
}
