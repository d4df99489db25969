/*
 * order_table_columns.h — loads the columns of an OrderTable
 */
#ifndef ORDCANCEL_ORDER_TABLE_COLUMNS_H
#define ORDCANCEL_ORDER_TABLE_COLUMNS_H

#include "utils/relcache.h"

#include "config/order_table.h"

/* Fills a Column from an attribute.  Called in table->context. */
extern void order_table_load_column(OrderTable *table, Relation rel,
									Column *column, AttrNumber attnum);

/*
 * The same by name; does nothing if the name is NULL.  OC014 if the column was
 * renamed or dropped.
 */
extern void order_table_load_named_column(OrderTable *table, Relation rel,
										  Column *column, const char *name);

/* Fills the members for comparison from column "i" of the key's index. */
extern void order_table_load_key_order(OrderTable *table, Column *key,
									   Relation index, int i);

/* OC014 if placed_at is no longer a timestamp or date. */
extern void order_table_check_placed_at(const OrderTable *table);

/* Does the text of the type depend on DateStyle, TimeZone and the like? */
extern bool type_has_settings(Oid type);

#endif /* ORDCANCEL_ORDER_TABLE_COLUMNS_H */
