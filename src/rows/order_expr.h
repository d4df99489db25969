/*
 * order_expr.h — evaluates expressions of the table's owner on orders
 */
#ifndef ORDCANCEL_ORDER_EXPR_H
#define ORDCANCEL_ORDER_EXPR_H

#include "executor/tuptable.h"

#include "rows/cancel_target.h"

/* A query over rows of orders, PINNED_ROW, from unnest($1). */
typedef struct OrderQuery
{
	struct Pinned **pinned; /* its cache in the OrderTable */
	const char	   *sql;
	const char	   *complaint; /* the message if it is no longer valid */

	/* Is it evaluated for this target, which is open? */
	bool (*wants)(const CancelTarget *c);

	/* Stores the row of the result in the target. */
	void (*store)(CancelTarget *c, TupleTableSlot *row);
} OrderQuery;

/*
 * Runs the query on row versions that were read before; see
 * order_expr_evaluate.
 */
extern void order_expr_run(const OrderQuery *query, CancelTarget *targets,
						   int count);

/*
 * Are the results a matter of the row alone, neither of other tables or settings
 * nor of the time, nor of functions outside pg_catalog?
 */
extern bool order_expr_by_row(const OrderQuery *query, OrderTable *table);

#endif /* ORDCANCEL_ORDER_EXPR_H */
