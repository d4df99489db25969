/*
 * order_table_load.h — building what a backend knows of an attached table
 *
 * Reads the registration, the columns and key as they are now, and the blocks.
 * Only order_table.c calls it, and keeps what it built.
 */
#ifndef ORDCANCEL_ORDER_TABLE_LOAD_H
#define ORDCANCEL_ORDER_TABLE_LOAD_H

#include "config/order_table.h"

/*
 * NULL when the table is not attached; OC014 when it has changed so that the
 * registration does not fit any more.  The result is in a memory context of
 * its own below the current one.
 */
extern OrderTable *order_table_load(Oid relid);

/*
 * Would it be built the same again?  Its policies are not looked at, which are
 * not in it (policy_cache.h), nor are the labels of an enum.
 */
extern bool order_table_fits(const OrderTable *table);

#endif /* ORDCANCEL_ORDER_TABLE_LOAD_H */
