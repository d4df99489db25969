/*
 * order_table_check.h — does an attached table still fit what is set for it?
 */
#ifndef ORDCANCEL_ORDER_TABLE_CHECK_H
#define ORDCANCEL_ORDER_TABLE_CHECK_H

#include "utils/relcache.h"

#include "config/order_table.h"

/*
 * Notes in a policy which of its words are no labels of the status's enum any
 * more; the decision refuses by them.
 */
extern void order_table_check_labels(const OrderTable *table, Policy *policy);

/* OC014 for a table of an access method other than heap. */
extern void order_table_refuse_not_heap(Relation rel);

/* OC014 for a table that Citus has distributed. */
extern void order_table_refuse_distributed(Relation rel);

#endif /* ORDCANCEL_ORDER_TABLE_CHECK_H */
