/*
 * order_update.h — what order_update.c and order_update_statement.c share
 */
#ifndef ORDCANCEL_ORDER_UPDATE_H
#define ORDCANCEL_ORDER_UPDATE_H

#include "rows/cancel_target.h"

/* Writes next_status and also_set to the order by an UPDATE. */
extern void order_update_by_statement(CancelTarget *c);

extern bool order_status_changes(const CancelTarget *c);

/*
 * A status as a value of the column.  OC014 if it is a label that the enum no
 * longer has: it may have been renamed since the status was recorded.
 */
extern Datum order_status_datum(const OrderTable *table, const char *status);

/* Raises 27000 unless the row was written with the intended status. */
extern void order_written_status(const CancelTarget *c, Datum value,
								 bool isnull);

/* From now on, the value is the one that is in the row. */
extern void order_written_value(CancelTarget *c, AlsoSetValue *set,
								Datum value, bool isnull);

/* Raises 27000; "detail" says why. */
pg_noreturn extern void order_not_written(const CancelTarget *c,
										  const char		 *detail);

/* The same: a trigger has made deleted_when true. */
pg_noreturn extern void order_written_deleted(const CancelTarget *c);

#endif /* ORDCANCEL_ORDER_UPDATE_H */
