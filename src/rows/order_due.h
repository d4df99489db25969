/*
 * order_due.h — finds the orders of a status whose timers may have ended
 *
 * One query for a status of a table, under any policy; an index on the status
 * and the column from which timers count makes it cheap.  It reads orders that
 * came into the status at "latest" or before.  Columns without time zone are
 * compared with some hours to spare, because of changes of the clock, so the
 * caller has to check each order.
 *
 * The caller runs as the owner of the table, connected to SPI, and has a
 * snapshot.
 */
#ifndef ORDCANCEL_ORDER_DUE_H
#define ORDCANCEL_ORDER_DUE_H

#include "utils/portal.h"

#include "rows/cancel_target.h"

typedef struct DueSearch
{
	OrderTable *table;
	Portal		cursor;
} DueSearch;

/* Returns false if the table has no column from which timers count. */
extern bool order_due_begin(DueSearch *search, OrderTable *table,
							const char *status, TimestampTz latest);

/*
 * Returns the next orders, some hundreds, as filled targets in the current
 * memory context; sets *count to 0 at the end.
 */
extern CancelTarget *order_due_next(DueSearch *search, int *count);

extern void order_due_end(DueSearch *search);

#endif /* ORDCANCEL_ORDER_DUE_H */
