/*
 * order_facts.c — what the owner's expressions say of orders
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/numeric.h"

#include "formats.h"
#include "order_row.h"
#include "refusal.h"
#include "statement.h"

bool
order_has_facts(const OrderTable *table)
{
	return table->nblocks > 0 || table->refund_due != NULL;
}

/* Each expression on lines of its own, so that a comment in it ends there. */
static void
facts_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, "SELECT (%s\n)::pg_catalog.numeric",
					 table->refund_due ? table->refund_due : "NULL");
	for (int i = 0; i < table->nblocks; i++)
		appendStringInfo(sql, ", (%s\n)::pg_catalog.bool",
						 table->blocks[i].condition);
	appendStringInfo(sql, " FROM pg_catalog.unnest($1) AS %s",
					 quote_identifier(table->name));
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

static void
take_facts(OrderCase *c, HeapTuple row, TupleDesc desc)
{
	OrderTable *table = c->table;
	bool		isnull;
	Datum		due = SPI_getbinval(row, desc, 1, &isnull);

	c->refund_due = isnull ? NULL : DatumGetNumericCopy(due);
	c->customer_block = c->merchant_block = NULL;
	if (c->refund_due &&
		(numeric_is_nan(c->refund_due) || numeric_is_inf(c->refund_due)))
		refusal_raise_invalid_policy(
			psprintf("refund due of order %s of %s is not a finite number",
					 shorten(c->key_text, 80), table->label),
			psprintf("The expression is: %s.",
					 shorten(table->refund_due, 200)),
			"Correct the order, or the expression by ordcancel.attach().");
	for (int i = 0; i < table->nblocks; i++)
	{
		const BlockRule *block = &table->blocks[i];
		bool holds = DatumGetBool(SPI_getbinval(row, desc, i + 2, &isnull));

		if (isnull || !holds)
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
	OrderTable	  *table = cases[0].table;
	Parameters	   p = {0};
	Oid			   type;
	SPITupleTable *facts;
	int			   found;
	int			   nest;

	if (!order_has_facts(table))
		return;
	type = get_rel_type_id(table->relid);
	parameter_value(&p, get_array_type(type),
					rows_array(cases, count, type, &found), false);
	if (found == 0)
		return;
	nest = formats_fix(table->time_zone);
	if (statement_run(table, STATEMENT_FACTS, facts_text, &p, SIGHT_LATEST) !=
		found)
		elog(ERROR, "blocks of %s do not answer for each order", table->label);
	formats_restore(nest);
	facts = SPI_tuptable;
	found = 0;
	for (int i = 0; i < count; i++)
		if (cases[i].result == CASE_OPEN)
			take_facts(&cases[i], facts->vals[found++], facts->tupdesc);
	SPI_freetuptable(facts);
}
