/*
 * item_update.c — writes the units of items that are canceled or given back
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/generated_columns.h"
#include "base/money.h"
#include "base/text.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/direct_write.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/plan_cache.h"

/* The UPDATE that write_by_statement is running, for item_update_is_ours. */
typedef struct OwnWrite
{
	const ItemTable *items;
	const Datum		*key;
	bool			 seen; /* the trigger has fired for it */
} OwnWrite;

static OwnWrite *own_write = NULL;

/* The column that is written. */
static const Column *
written_column(const ItemTable *items)
{
	return items->canceled.attnum ? &items->canceled : &items->status;
}

static Numeric
units_after(const ItemTarget *item, Numeric take)
{
	return money_add(item->canceled, take);
}

/* Its new value, as text; NULL is a null value. */
static const char *
text_after(const ItemTable *items, const ItemTarget *item, Numeric take)
{
	Numeric after;

	if (items->canceled.attnum == 0)
		return money_is_positive(take) ? items->canceled_status :
										 item->prior_status;
	after = units_after(item, take);
	if (items->canceled.base != NUMERICOID)
		after = money_round(after, 0); /* without a ".0" */
	return money_text(after);
}

/* Of the most common types, without their input functions. */
static Datum
value_after(const ItemTable *items, const ItemTarget *item, Numeric take,
			bool *isnull)
{
	const Column *column = written_column(items);
	const char	 *text;

	*isnull = false;
	if (column == &items->canceled && column->type == INT4OID)
		return DirectFunctionCall1(numeric_int4,
								   NumericGetDatum(units_after(item, take)));
	if (column == &items->canceled && column->type == INT8OID)
		return DirectFunctionCall1(numeric_int8,
								   NumericGetDatum(units_after(item, take)));
	text = text_after(items, item, take);
	*isnull = text == NULL;
	return text ? column_from_text(column, text) : (Datum) 0;
}

/*
 * The greatest number that the column can hold, and its digits after the point;
 * NULL if there is no limit.
 */
static Numeric
limit_of(const Column *column, int *scale)
{
	int32 typmod = -1;
	int	  precision;

	*scale = 0;
	switch (column->base)
	{
		case INT2OID:
			return int64_to_numeric(PG_INT16_MAX);
		case INT4OID:
			return int64_to_numeric(PG_INT32_MAX);
		case INT8OID:
			return int64_to_numeric(PG_INT64_MAX);
	}
	(void) getBaseTypeAndTypmod(column->type, &typmod);
	if (typmod < 0)
		typmod = column->typmod;
	if (typmod < (int32) VARHDRSZ)
	{
		*scale = NUMERIC_MAX_RESULT_SCALE;
		return NULL;
	}
	/* numeric(precision, scale); the scale has 11 bits with a sign */
	typmod -= VARHDRSZ;
	*scale = ((typmod & 0x7ff) ^ 1024) - 1024;
	precision = (typmod >> 16) & 0xffff;
	return DatumGetNumeric(DirectFunctionCall3(
		numeric_in, CStringGetDatum(psprintf("1e%d", precision - *scale)),
		ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
}

bool
item_take_fits(const ItemTable *items, const ItemTarget *item, Numeric take)
{
	Numeric after = units_after(item, take);
	Numeric limit;
	int		scale;
	int		order;

	if (items->canceled.attnum == 0)
		return money_compare(take, item->ordered) == 0;
	limit = limit_of(&items->canceled, &scale);
	order = limit ? money_compare(after, limit) : -1;
	if (order > 0 || (order == 0 && items->canceled.base == NUMERICOID))
		return false;
	return money_scale(after) <= scale ||
		money_compare(money_round(after, scale), after) == 0;
}

HeapTuple
item_row_after(const ItemTable *items, const ItemTarget *item)
{
	Relation  rel = table_open(items->relid, AccessShareLock);
	int		  column = written_column(items)->attnum;
	bool	  isnull;
	Datum	  value = value_after(items, item, item->take, &isnull);
	HeapTuple row = heap_modify_tuple_by_cols(item->row, items->desc, 1,
											  &column, &value, &isnull);

	row = generated_columns_computed(row, rel);
	table_close(rel, NoLock);
	return row;
}

pg_noreturn static void
raise_not_written(const ItemTable *items, const ItemTarget *item,
				  const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("could not write item %s of %s",
					text_clip(item->key_text, 80), items->label),
			 errdetail_internal("%s", detail),
			 errhint(
				 "Look for a BEFORE UPDATE trigger or a rule on the table.")));
}

/*
 * Checks that no trigger has changed what was written, nor moved the item or
 * left it with fewer units than are canceled and fulfilled.
 */
static void
check_row(const CancelTarget *c, const ItemTarget *item, HeapTuple row)
{
	const ItemTable *items = c->item_table;
	ItemTarget		 written = {0};
	const char		*wanted = text_after(items, item, item->take);
	bool			 same;

	item_from_tuple(items, &written, row);
	same = items->canceled.attnum ?
		money_compare(written.canceled, units_after(item, item->take)) == 0 :
		equal_or_both_null(written.status, wanted);
	if (!same ||
		!key_same(items->keys, items->nkeys, item->key, written.key) ||
		!item_is_of_order(c, &written) ||
		money_compare(item_left(&written), int64_to_numeric(0)) < 0)
		raise_not_written(items, item,
						  "The row was written with other values.");
}

static void
write_sql(StringInfo sql, const OrderTable *table)
{
	const ItemTable *items = item_table_open((OrderTable *) table,
											 AccessShareLock);
	const char		*i = items->alias;

	appendStringInfo(sql, "UPDATE %s%s AS %s SET %s = $1 WHERE ",
					 items->partitioned ? "" : "ONLY ", items->label, i,
					 quote_identifier(written_column(items)->name));
	key_qual(sql, items->keys, items->nkeys, i, NULL, 2);
	appendStringInfo(sql, " RETURNING %s", i);
}

static void
write_by_statement(CancelTarget *c, ItemTarget *item)
{
	const ItemTable *items = c->item_table;
	OwnWrite		*outer = own_write;
	OwnWrite		 write = {items, item->key, false};
	Parameters		 p = {0};
	volatile uint64	 rows = 0;
	bool			 isnull;
	Datum			 value = value_after(items, item, item->take, &isnull);

	if (!item_is_unchanged(c, item))
		raise_not_written(
			items, item,
			"A trigger or an expression has changed it in the meantime.");
	parameter_value(&p, written_column(items)->type, value, isnull);
	for (int i = 0; i < items->nkeys; i++)
		parameter_value(&p, items->keys[i].type, item->key[i], false);
	own_write = &write;
	PG_TRY();
	{
		rows = plan_cache_run(c->table, STATEMENT_WRITE_ITEM, write_sql, &p,
							  READ_CURRENT);
	}
	PG_FINALLY();
	{
		own_write = outer;
	}
	PG_END_TRY();
	if (rows == 1)
	{
		HeapTupleHeader header = DatumGetHeapTupleHeader(
			SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
						  &isnull));
		HeapTupleData row = {0};

		row.t_len = HeapTupleHeaderGetDatumLength(header);
		row.t_data = header;
		check_row(c, item, &row);
	}
	else
		raise_not_written(items, item, "The update was suppressed.");
	SPI_freetuptable(SPI_tuptable);
}

/* Slots for the row before and after the update. */
typedef struct RowSlots
{
	TupleTableSlot *old;
	TupleTableSlot *new;
} RowSlots;

typedef struct Conflict
{
	const ItemTable	 *items;
	const ItemTarget *item;
} Conflict;

static void
raise_conflict(const void *arg)
{
	const Conflict *conflict = arg;

	raise_not_written(conflict->items, conflict->item,
					  "A trigger has updated the row in the meantime.");
}

static void
write_row(DirectWrite *w, CancelTarget *c, ItemTarget *item, RowSlots *rows)
{
	const ItemTable *items = c->item_table;
	Conflict		 conflict = {items, item};
	int				 column = written_column(items)->attnum - 1;
	bool			 isnull;
	Datum			 value = value_after(items, item, item->take, &isnull);

	/* A trigger may have updated the row since it was locked. */
	if (!table_tuple_fetch_row_version(w->info->ri_RelationDesc, &item->tid,
									   GetActiveSnapshot(), rows->old))
	{
		write_by_statement(c, item);
		return;
	}
	direct_write_copy(rows->new, rows->old);
	rows->new->tts_values[column] = value;
	rows->new->tts_isnull[column] = isnull;
	ExecStoreVirtualTuple(rows->new);
	if (!direct_write_update(w, rows->old, rows->new, raise_conflict,
							 &conflict))
		raise_not_written(items, item, "The update was suppressed.");
	if (direct_write_has_before_triggers(w))
		check_row(c, item, ExecCopySlotHeapTuple(rows->new));
}

/* A request only says which units it means. */
static bool
is_written(const CancelTarget *c, const ItemTarget *item)
{
	return c->decision.state != STATE_REQUESTED && item->meant && item->take &&
		money_compare(item->take, int64_to_numeric(0)) != 0;
}

static void
write_rows(ItemTable *items, Relation rel, CancelTarget *targets, int count)
{
	DirectWrite w;
	RowSlots	rows;
	ListCell   *lc;

	direct_write_open(&w, rel, written_column(items)->attnum, items->guard);
	rows.old = table_slot_create(rel, NULL);
	rows.new = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
			foreach(lc, targets[i].items)
				if (is_written(&targets[i], lfirst(lc)))
					write_row(&w, &targets[i], lfirst(lc), &rows);
	direct_write_close(&w);
	ExecDropSingleTupleTableSlot(rows.old);
	ExecDropSingleTupleTableSlot(rows.new);
}

static void
write_by_statements(CancelTarget *targets, int count)
{
	ListCell *lc;

	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN)
			foreach(lc, targets[i].items)
				if (is_written(&targets[i], lfirst(lc)))
					write_by_statement(&targets[i], lfirst(lc));
}

void
item_update(CancelTarget *targets, int count)
{
	ItemTable *items = NULL;
	Relation   rel;
	ListCell  *lc;

	for (int i = 0; i < count && items == NULL; i++)
		if (targets[i].result == TARGET_OPEN)
			foreach(lc, targets[i].items)
				if (is_written(&targets[i], lfirst(lc)))
					items = targets[i].item_table;
	if (items == NULL)
		return;
	rel = table_open(items->relid, RowExclusiveLock);
	if (!items->partitioned && direct_write_can_update(rel))
		write_rows(items, rel, targets, count);
	else
		write_by_statements(targets, count);
	table_close(rel, NoLock);
}

bool
item_update_is_ours(const ItemTable *items, const Datum *key)
{
	if (own_write == NULL || own_write->seen ||
		own_write->items->relid != items->relid ||
		!key_same(items->keys, items->nkeys, own_write->key, key))
		return false;
	own_write->seen = true;
	return true;
}
