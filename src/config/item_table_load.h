/*
 * item_table_load.h — builds an ItemTable
 *
 * Only item_table.c calls these functions, and caches the result.
 */
#ifndef ORDCANCEL_ITEM_TABLE_LOAD_H
#define ORDCANCEL_ITEM_TABLE_LOAD_H

#include "config/item_table.h"

/* Columns of ordcancel.item_table; append only. */
enum
{
	ITEM_TABLE_ORDERS = 1,
	ITEM_TABLE_ITEMS,
	ITEM_TABLE_KEY_COLUMNS,
	ITEM_TABLE_ITEM_KEY,
	ITEM_TABLE_RECORD_KEYS,
	ITEM_TABLE_QUANTITY,
	ITEM_TABLE_CANCELED,
	ITEM_TABLE_STATUS,
	ITEM_TABLE_CANCELED_STATUS,
	ITEM_TABLE_FULFILLED,
	ITEM_TABLE_PINNED_FULFILLED,
	ITEM_TABLE_FULFILLED_FUNCTIONS,
	ITEM_TABLE_AMOUNT,
	ITEM_TABLE_PINNED_AMOUNT,
	ITEM_TABLE_AMOUNT_FUNCTIONS,
};

/*
 * NULL if the order table has no items any more; OC014 if the configuration no
 * longer matches the table.  The result has a memory context of its own, a
 * child of the current one.
 */
extern ItemTable *item_table_load(OrderTable *orders, Relation rel);

/* Would item_table_load() build the same again? */
extern bool item_table_fits(const ItemTable *items, const OrderTable *orders,
							Relation rel);

#endif /* ORDCANCEL_ITEM_TABLE_LOAD_H */
