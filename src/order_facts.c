/*
 * order_facts.c — what the owner's expressions say of orders
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "expression.h"
#include "formats.h"
#include "order_row.h"
#include "pinned.h"
#include "refusal.h"

bool
order_has_facts(const OrderTable *table)
{
	return table->nblocks > 0 || table->refund_due != NULL;
}

/* Each expression on lines of its own, so that a comment in it ends there. */
static char *
facts_text(const OrderTable *table)
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

/* The rows of the orders that are on their way, as an array. */
static Datum
rows_array(OrderCase *cases, int count, Oid type, int *found)
{
	Datum *rows = palloc(count * sizeof(Datum));
	int	   n = 0;

	for (int i = 0; i < count; i++)
		if (cases[i].result == CASE_OPEN)
			rows[n++] = cases[i].row;
	*found = n;
	return PointerGetDatum(
		construct_array(rows, n, type, -1, false, TYPALIGN_DOUBLE));
}

/* The orders whose facts are on their way. */
typedef struct Facts
{
	OrderCase *cases;
	int		   count;
	int		   next;
} Facts;

static void
take_refund_due(OrderCase *c, Datum due, bool isnull)
{
	c->refund_due = isnull ? NULL : DatumGetNumericCopy(due);
	if (c->refund_due &&
		(numeric_is_nan(c->refund_due) || numeric_is_inf(c->refund_due)))
		refusal_raise_invalid_policy(
			psprintf("refund due of order %s of %s is not a finite number",
					 shorten(c->key_text, 80), c->table->label),
			psprintf("The expression is: %s.",
					 shorten(c->table->refund_due, 200)),
			"Correct the order, or the expression by ordcancel.attach().");
}

/* A row of the result, for the next order. */
static void
take_facts(TupleTableSlot *row, void *arg)
{
	Facts	   *facts = arg;
	OrderTable *table = facts->cases[0].table;
	OrderCase  *c;
	Datum		value;
	bool		isnull;

	while (facts->next < facts->count &&
		   facts->cases[facts->next].result != CASE_OPEN)
		facts->next++;
	if (facts->next == facts->count)
		elog(ERROR, "blocks of %s answer more than once", table->label);
	c = &facts->cases[facts->next++];

	value = slot_getattr(row, 1, &isnull);
	take_refund_due(c, value, isnull);
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
order_facts(OrderCase *cases, int count)
{
	OrderTable *table = cases[0].table;
	Facts		facts = {cases, count, 0};
	Oid			type;
	Datum		rows;
	int			found;
	int			nest;

	if (!order_has_facts(table))
		return;
	type = get_rel_type_id(table->relid);
	rows = rows_array(cases, count, type, &found);
	if (found == 0)
		return;
	nest = formats_fix(table->time_zone);
	pinned_run(&table->facts, facts_text(table), table->functions,
			   get_array_type(type), rows, SIGHT_LATEST,
			   psprintf("a block or refund_due of %s cannot be used any more",
						table->label),
			   take_facts, &facts);
	formats_restore(nest);
}
