/*
 * order_table_columns.h — what is known of the columns of an order table
 */
#ifndef ORDCANCEL_ORDER_TABLE_COLUMNS_H
#define ORDCANCEL_ORDER_TABLE_COLUMNS_H

#include "utils/relcache.h"

#include "config/order_table.h"

/* Fills a Column from the attribute of that number, in table->context. */
extern void order_table_load_column(OrderTable *table, Relation rel,
									Column *column, AttrNumber attnum);

/*
 * The same by name; nothing where the name is NULL.  OC014 if there is no such
 * column any more.
 */
extern void order_table_load_named_column(OrderTable *table, Relation rel,
										  Column *column, const char *name);

/* Adds to a key column how the primary key's index compares it. */
extern void order_table_load_key_order(OrderTable *table, Column *key,
									   Relation index, int i);

/* OC014 if placed_at is not a timestamp or date any more: C reads it. */
extern void order_table_check_placed_at(const OrderTable *table);

/* Does the text of the type depend on DateStyle, TimeZone and the like? */
extern bool type_has_settings(Oid type);

#endif /* ORDCANCEL_ORDER_TABLE_COLUMNS_H */
