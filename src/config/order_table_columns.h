/*
 * order_table_columns.h — what descriptions of orders and items are made of
 */
#ifndef ORDCANCEL_ORDER_TABLE_COLUMNS_H
#define ORDCANCEL_ORDER_TABLE_COLUMNS_H

#include "utils/relcache.h"

#include "config/order_table.h"

/*
 * Fills a Column from an attribute.  Called in the context, which is that of
 * the description.
 */
extern void order_table_load_column(MemoryContext context, Relation rel,
									Column *column, AttrNumber attnum);

/*
 * The same by name; does nothing if the name is NULL.  OC014 if the column was
 * renamed or dropped.
 */
extern void order_table_load_named_column(OrderTable *table, Relation rel,
										  Column *column, const char *name);

/* Fills the members for comparison from column "i" of the key's index. */
extern void order_table_load_key_order(MemoryContext context, Column *key,
									   Relation index, int i);

/* OC014 if placed_at is no longer a timestamp or date. */
extern void order_table_check_time(const OrderTable *table,
								   const Column		*column);

/*
 * An alias for SQL that is not the name of a column: it then means the whole
 * row.
 */
extern char *order_table_unused_alias(TupleDesc desc);

/* The OID of a trigger function in schema ordcancel_internal. */
extern Oid order_table_guard(const char *name);

/* The index of the primary key, or InvalidOid. */
extern Oid order_table_primary_key(Relation rel);

/* The qualified name, quoted: for SQL and messages. */
extern char *order_table_label_of(Relation rel);

/* Does the text of the type depend on DateStyle, TimeZone and the like? */
extern bool type_has_settings(Oid type);

/*
 * A type that stands for all base types that can hold the same keys: integers,
 * and texts; as attach_items() and attach_child() check.
 */
extern Oid key_type_family(Oid base);

#endif /* ORDCANCEL_ORDER_TABLE_COLUMNS_H */
