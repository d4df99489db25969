/*
 * item_expr.c — evaluates "fulfilled" and "amount" on items
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/money.h"
#include "base/stable_settings.h"
#include "base/text.h"
#include "config/expression.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"
#include "rows/item_row.h"

/* A row to evaluate: an item as it stands, or with its units canceled. */
typedef struct Probe
{
	CancelTarget *c;
	ItemTarget	 *item;
	bool		  after;
} Probe;

typedef struct Evaluation
{
	const ItemTable *items;
	Oid				 type; /* row type of the table of items */
	Probe			*probes;
	int				 count;
	int				 next_input;
	int				 next_result;
} Evaluation;

/* The newline after each expression ends a "--" comment in it. */
static char *
query_text(const ItemTable *items)
{
	return psprintf("SELECT (%s\n)::pg_catalog.numeric,"
					" (%s\n)::pg_catalog.numeric"
					" FROM pg_catalog.unnest($1) AS " PINNED_ROW,
					items->fulfilled ? items->fulfilled : "NULL",
					items->amount ? items->amount : "NULL");
}

static void
add_probe(Evaluation *e, CancelTarget *c, ItemTarget *item, bool after)
{
	e->probes = e->probes ?
		repalloc(e->probes, (e->count + 1) * sizeof(Probe)) :
		palloc(sizeof(Probe));
	e->probes[e->count++] = (Probe){c, item, after};
}

static void
collect_probes(Evaluation *e, CancelTarget *c)
{
	bool	  has_amount = e->items->amount != NULL;
	ListCell *lc;

	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		if (!item->meant)
			continue;
		if (e->items->fulfilled == NULL && item->fulfilled == NULL)
			item->fulfilled = int64_to_numeric(0);
		if (item->fulfilled == NULL || (has_amount && item->before == NULL))
			add_probe(e, c, item, false);
		if (has_amount && item->take && item->drop == NULL)
			add_probe(e, c, item, true);
	}
}

/* An array of at most so many rows is evaluated at once. */
#define PROBES_MAX 1000

/* A PinnedValue: an array of rows of the next probes. */
static Datum
rows_array(const Bitmapset *columns, bool *more, void *arg)
{
	Evaluation *e = arg;
	Datum	   *rows = palloc(PROBES_MAX * sizeof(Datum));
	int			n = 0;

	for (; n < PROBES_MAX && e->next_input < e->count; e->next_input++)
	{
		const Probe *probe = &e->probes[e->next_input];
		HeapTuple row = probe->after ? item_row_after(e->items, probe->item) :
									   probe->item->row;

		rows[n++] = heap_copy_tuple_as_datum(row, e->items->desc);
	}
	*more = e->next_input < e->count;
	return PointerGetDatum(
		construct_array(rows, n, e->type, -1, false, TYPALIGN_DOUBLE));
}

static Numeric
finite_number(const Probe *probe, const char *what, Datum value, bool isnull)
{
	Numeric number;

	if (isnull)
		return int64_to_numeric(0);
	number = DatumGetNumericCopy(value);
	if (numeric_is_nan(number) || numeric_is_inf(number))
		refusal_raise_invalid_policy(
			psprintf("%s of item %s of order %s of %s is not a finite number",
					 what, text_clip(probe->item->key_text, 80),
					 text_clip(probe->c->key_text, 80),
					 probe->c->table->label),
			NULL,
			"Correct the item, or set another expression with ordcancel.attach_items().");
	return number;
}

/* A PinnedRow: stores the results for the next probe. */
static void
store_result(TupleTableSlot *row, void *arg)
{
	Evaluation *e = arg;
	Probe	   *probe;
	ItemTarget *item;
	Numeric		amount;
	Datum		value;
	bool		isnull;

	if (e->next_result == e->count)
		elog(ERROR, "expressions of %s returned too many rows",
			 e->items->label);
	probe = &e->probes[e->next_result++];
	item = probe->item;
	if (!probe->after)
	{
		value = slot_getattr(row, 1, &isnull);
		item->fulfilled = finite_number(probe, "fulfilled", value, isnull);
		if (!money_is_positive(item->fulfilled))
			item->fulfilled = int64_to_numeric(0);
	}
	value = slot_getattr(row, 2, &isnull);
	amount = money_round(finite_number(probe, "amount", value, isnull),
						 probe->c->table->refund_scale);
	if (e->items->amount == NULL)
		return;
	if (probe->after)
		item->drop = money_subtract(item->before, amount);
	else
		item->before = amount;
}

static void
run(Evaluation *e, ItemTable *items)
{
	int nest;

	e->type = get_rel_type_id(items->relid);
	nest = stable_settings_begin(items->orders->time_zone);
	pinned_run(
		&items->expr_query, query_text(items), items->functions,
		get_array_type(e->type), rows_array, READ_LATEST,
		psprintf("an expression over the items of %s is no longer valid",
				 items->orders->label),
		store_result, e);
	stable_settings_end(nest);
}

void
item_expr_fulfilled(ItemTable *items, ItemTarget *item)
{
	CancelTarget order = {.table = items->orders, .key_text = "of a write"};
	Probe		 probe = {&order, item, false};
	Evaluation	 e = {.items = items, .probes = &probe, .count = 1};

	if (items->fulfilled == NULL)
		item->fulfilled = int64_to_numeric(0);
	if (item->fulfilled == NULL)
		run(&e, items);
}

void
item_expr_evaluate(CancelTarget *targets, int count)
{
	ItemTable *items = NULL;
	Evaluation e = {0};

	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN && targets[i].items_known)
		{
			items = targets[i].item_table;
			e.items = items;
			collect_probes(&e, &targets[i]);
		}
	if (e.count == 0)
		return;
	run(&e, items);
	pfree(e.probes);
}
