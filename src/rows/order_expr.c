/*
 * order_expr.c — evaluates blocks and refund_due on orders
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "base/read_snapshot.h"
#include "base/stable_settings.h"
#include "base/text.h"
#include "config/expression.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"
#include "rows/order_expr.h"
#include "rows/order_image.h"
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
	OrderImages		  images;
} Evaluation;

/*
 * The query is run again when its array of rows has reached this size, so that
 * memory does not grow with the number of orders.
 */
#define ROWS_BYTES (1024 * 1024)

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
		rows[n] = order_images_datum(&e->images, c, columns);
		bytes += VARSIZE_ANY(DatumGetPointer(rows[n]));
		n++;
		e->next_input++;
		c = next_target(e, &e->next_input);
	}
	*more = c != NULL;
	return PointerGetDatum(
		construct_array(rows, n, e->images.type, -1, false, TYPALIGN_DOUBLE));
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
	Evaluation	e = {.query = query, .targets = targets, .count = count};
	int			nest;

	if (next_target(&e, &e.next_input) == NULL)
		return;
	order_images_begin(&e.images, table);
	nest = stable_settings_begin(table->time_zone);
	pinned_run(query->pinned, query->sql, table->functions,
			   get_array_type(e.images.type), rows_array, READ_LATEST,
			   query->complaint, store_result, &e);
	stable_settings_end(nest);
	order_images_end(&e.images);
}

bool
order_expr_by_row(const OrderQuery *query, OrderTable *table)
{
	PinnedQuery q = {.sql = query->sql,
					 .functions = table->functions,
					 .complaint = query->complaint};
	OrderImages images;
	bool		immutable;
	bool		known;

	order_images_begin(&images, table);
	q.type = get_array_type(images.type);
	known = pinned_values(query->pinned, &q, &immutable, NULL) != NIL;
	order_images_end(&images);
	return known && immutable;
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
