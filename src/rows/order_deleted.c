/*
 * order_deleted.c — orders that are deleted because deleted_when is true
 */
#include "postgres.h"

#include "config/expression.h"
#include "rows/order_expr.h"
#include "rows/order_row.h"

static bool
wants(const CancelTarget *c)
{
	return true;
}

static void
store(CancelTarget *c, TupleTableSlot *row)
{
	bool  isnull;
	Datum value = slot_getattr(row, 1, &isnull);

	c->deleted = !isnull && DatumGetBool(value);
}

/* The newline after the condition ends a "--" comment in it. */
static OrderQuery
deleted_query(OrderTable *table)
{
	return (OrderQuery){
		.pinned = &table->deleted_query,
		.wants = wants,
		.store = store,
		.sql = psprintf(
			"SELECT (%s\n)::pg_catalog.bool FROM pg_catalog.unnest($1) AS " PINNED_ROW,
			table->deleted_when),
		.complaint = psprintf("deleted_when of %s is no longer valid",
							  table->label),
	};
}

void
order_find_deleted(CancelTarget *targets, int count)
{
	OrderTable *table = targets[0].table;
	OrderQuery	query;

	for (int i = 0; i < count; i++)
		targets[i].deleted = false;
	if (table->deleted_when == NULL)
		return;
	query = deleted_query(table);
	order_expr_run(&query, targets, count);
}

bool
order_deleted_by_row(OrderTable *table)
{
	OrderQuery query;

	if (table->deleted_when == NULL)
		return true;
	query = deleted_query(table);
	return order_expr_by_row(&query, table);
}

void
order_hide_deleted(CancelTarget *targets, int count)
{
	if (targets[0].table->deleted_when == NULL)
		return;
	order_find_deleted(targets, count);
	for (int i = 0; i < count; i++)
		if (targets[i].deleted)
			targets[i].result = TARGET_NOT_FOUND;
}
