/*
 * order_expr.c — evaluates blocks and refund_due on orders
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/read_snapshot.h"
#include "base/stable_settings.h"
#include "base/text.h"
#include "base/virtual_columns.h"
#include "config/expression.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"
#include "rows/order_expr.h"
#include "rows/order_row.h"

bool
order_expr_exist(const OrderTable *table)
{
	return table->nblocks > 0 || table->refund_due != NULL;
}

/* The newline after each expression ends a "--" comment in it. */
static char *
expr_query_text(const OrderTable *table)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT (%s\n)::pg_catalog.numeric",
					 table->refund_due ? table->refund_due : "NULL");
	for (int i = 0; i < table->nblocks; i++)
		appendStringInfo(&sql, ", (%s\n)::pg_catalog.bool",
						 table->blocks[i].condition);
	appendStringInfoString(&sql, " FROM pg_catalog.unnest($1) AS " PINNED_ROW);
	return sql.data;
}

typedef struct Evaluation
{
	const OrderQuery *query;
	CancelTarget	 *targets;
	int				  count;
	int				  next_input;  /* the next target to pass to the query */
	int				  next_result; /* the next target to get a result */
	Oid				  type;		   /* row type of the table */
	Relation		  rel;		   /* the table */
	Relation		part; /* it or the partition that was read last, or NULL */
	TupleTableSlot *slot; /* for rows of part */
	MemoryContext	context; /* for slot */
} Evaluation;

/*
 * The query is run again when its array of rows has reached this size, so that
 * memory does not grow with the number of orders.
 */
#define ROWS_BYTES (1024 * 1024)

static void
close_part(Evaluation *e)
{
	if (e->part == NULL)
		return;
	ExecDropSingleTupleTableSlot(e->slot);
	table_close(e->part, NoLock);
	e->part = NULL;
}

static void
open_part(Evaluation *e, Oid relid)
{
	MemoryContext caller;

	if (e->part && RelationGetRelid(e->part) == relid)
		return;
	close_part(e);
	caller = MemoryContextSwitchTo(e->context);
	e->part = table_open(relid, AccessShareLock);
	e->slot = table_slot_create(e->part, NULL);
	MemoryContextSwitchTo(caller);
}

/* Returns the row in the row type of the table; it may be in e->slot. */
static HeapTuple
find_row(Evaluation *e, const CancelTarget *c)
{
	TupleConversionMap *map;
	HeapTuple			row;
	bool				copied;

	if (c->row)
		return c->row;
	open_part(e, c->row_rel);
	if (!table_tuple_fetch_row_version(e->part, (ItemPointer) &c->row_tid,
									   SnapshotAny, e->slot))
		elog(ERROR, "could not find row of order %s of %s",
			 text_clip(c->key_text, 80), c->table->label);
	row = ExecFetchSlotHeapTuple(e->slot, false, &copied);
	map = convert_tuples_by_name(RelationGetDescr(e->part),
								 RelationGetDescr(e->rel));
	return map ? execute_attr_map_tuple(row, map) : row;
}

static bool
uses_virtual_column(const Bitmapset *columns, TupleDesc desc)
{
	for (int i = 0; i < desc->natts; i++)
		if ((bms_is_member(0, columns) || bms_is_member(i + 1, columns)) &&
			column_is_virtual(TupleDescAttr(desc, i)))
			return true;
	return false;
}

/*
 * Returns a copy of the row in which all other columns are null, so that
 * columns that no expression uses are neither copied nor detoasted.
 */
static Datum
row_of_columns(Evaluation *e, const CancelTarget *c, const Bitmapset *columns)
{
	TupleDesc desc = RelationGetDescr(e->rel);
	HeapTuple row = find_row(e, c);
	Datum	 *values = palloc0(desc->natts * sizeof(Datum));
	bool	 *nulls = palloc(desc->natts * sizeof(bool));
	bool	  whole = bms_is_member(0, columns);

	if (uses_virtual_column(columns, desc))
		row = virtual_columns_computed(row, e->rel);
	for (int i = 0; i < desc->natts; i++)
	{
		nulls[i] = TupleDescAttr(desc, i)->attisdropped ||
			!(whole || bms_is_member(i + 1, columns));
		if (!nulls[i])
			values[i] = heap_getattr(row, i + 1, desc, &nulls[i]);
	}
	return HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
}

static CancelTarget *
next_target(const Evaluation *e, int *at)
{
	while (*at < e->count &&
		   (e->targets[*at].result != TARGET_OPEN ||
			!e->query->wants(&e->targets[*at])))
		(*at)++;
	return *at < e->count ? &e->targets[*at] : NULL;
}

/* A PinnedValue: an array of rows of the next targets. */
static Datum
rows_array(const Bitmapset *columns, bool *more, void *arg)
{
	Evaluation	 *e = arg;
	Datum		 *rows = palloc((e->count - e->next_input) * sizeof(Datum));
	Size		  bytes = 0;
	int			  n = 0;
	CancelTarget *c = next_target(e, &e->next_input);

	while (c && bytes < ROWS_BYTES)
	{
		rows[n] = row_of_columns(e, c, columns);
		bytes += VARSIZE_ANY(DatumGetPointer(rows[n]));
		n++;
		e->next_input++;
		c = next_target(e, &e->next_input);
	}
	*more = c != NULL;
	return PointerGetDatum(
		construct_array(rows, n, e->type, -1, false, TYPALIGN_DOUBLE));
}

static void
store_refund_due(CancelTarget *c, Datum due, bool isnull)
{
	c->refund_due = isnull ? NULL : DatumGetNumericCopy(due);
	if (c->refund_due &&
		(numeric_is_nan(c->refund_due) || numeric_is_inf(c->refund_due)))
		refusal_raise_invalid_policy(
			psprintf("refund_due of order %s of %s is not a finite number",
					 text_clip(c->key_text, 80), c->table->label),
			psprintf("The expression is: %s.",
					 text_clip(c->table->refund_due, 200)),
			"Correct the order, or set another expression with ordcancel.attach().");
}

/* A PinnedRow: stores the results for the next target. */
static void
store_result(TupleTableSlot *row, void *arg)
{
	Evaluation	 *e = arg;
	CancelTarget *c = next_target(e, &e->next_result);

	if (c == NULL)
		elog(ERROR, "expressions over orders of %s returned too many rows",
			 e->targets[0].table->label);
	e->next_result++;
	e->query->store(c, row);
}

static bool
expr_needed(const CancelTarget *c)
{
	return c->expr_needed;
}

static void
store_blocks(CancelTarget *c, TupleTableSlot *row)
{
	OrderTable *table = c->table;
	Datum		value;
	bool		isnull;

	c->expr_known = true;

	value = slot_getattr(row, 1, &isnull);
	store_refund_due(c, value, isnull);
	c->customer_block = c->merchant_block = NULL;
	for (int i = 0; i < table->nblocks; i++)
	{
		const BlockRule *block = &table->blocks[i];

		value = slot_getattr(row, i + 2, &isnull);
		if (isnull || !DatumGetBool(value))
			continue;
		if (block->customer && c->customer_block == NULL)
			c->customer_block = block;
		if (block->merchant && c->merchant_block == NULL)
			c->merchant_block = block;
	}
}

void
order_expr_run(const OrderQuery *query, CancelTarget *targets, int count)
{
	OrderTable *table = targets[0].table;
	Evaluation	e = {.query = query,
					 .targets = targets,
					 .count = count,
					 .context = CurrentMemoryContext};
	int			nest;

	if (next_target(&e, &e.next_input) == NULL)
		return;
	e.type = get_rel_type_id(table->relid);
	e.rel = table_open(table->relid, AccessShareLock);
	nest = stable_settings_begin(table->time_zone);
	pinned_run(query->pinned, query->sql, table->functions,
			   get_array_type(e.type), rows_array, READ_LATEST,
			   query->complaint, store_result, &e);
	stable_settings_end(nest);
	close_part(&e);
	table_close(e.rel, NoLock);
}

void
order_expr_evaluate(CancelTarget *targets, int count)
{
	OrderTable *table = targets[0].table;
	OrderQuery	query = {.pinned = &table->expr_query,
						 .wants = expr_needed,
						 .store = store_blocks};

	if (!order_expr_exist(table))
		return;
	query.sql = expr_query_text(table);
	query.complaint = psprintf(
		"a block or refund_due of %s is no longer valid", table->label);
	order_expr_run(&query, targets, count);
}
