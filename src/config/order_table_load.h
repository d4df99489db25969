/*
 * order_table_load.h — builds an OrderTable
 *
 * Reads the table's row in ordcancel.order_table, its columns and primary key
 * from the catalogs, and its blocks.  Only order_table.c calls these functions,
 * and caches the result.
 */
#ifndef ORDCANCEL_ORDER_TABLE_LOAD_H
#define ORDCANCEL_ORDER_TABLE_LOAD_H

#include "config/order_table.h"

/*
 * NULL if the table is not attached; OC014 if the configuration no longer
 * matches the table.  The result has a memory context of its own, a child of
 * the current one.
 */
extern OrderTable *order_table_load(Oid relid);

/*
 * Would order_table_load() build the same again?  Policies, which are cached
 * separately (policy_cache.h), and labels of an enum are not compared.
 */
extern bool order_table_fits(const OrderTable *table);

#endif /* ORDCANCEL_ORDER_TABLE_LOAD_H */
