/*
 * order_table_check.h — checks an attached table against its configuration
 */
#ifndef ORDCANCEL_ORDER_TABLE_CHECK_H
#define ORDCANCEL_ORDER_TABLE_CHECK_H

#include "utils/relcache.h"

#include "config/order_table.h"

/*
 * If the status column is an enum, sets stale_status and stale_rule of the
 * policy to statuses that are no longer labels of it.
 */
extern void order_table_check_labels(const OrderTable *table, Policy *policy);

/* Raises OC014 if the access method of the table is not heap. */
extern void order_table_refuse_not_heap(Relation rel);

/* Raises OC014 if the table is distributed in a way that is not known. */
extern void order_table_refuse_distributed(Relation rel);

#endif /* ORDCANCEL_ORDER_TABLE_CHECK_H */
