/*
 * item_row.h — reads, locks and writes the items of orders
 *
 * An order's row is locked before its items, and these in the order of their
 * keys.  Callers run as the owner of the order table, who owns the items, too,
 * and are connected to SPI.  Functions that take a target need c->item_table.
 */
#ifndef ORDCANCEL_ITEM_ROW_H
#define ORDCANCEL_ITEM_ROW_H

#include "lib/stringinfo.h"

#include "base/read_snapshot.h"
#include "config/item_table.h"
#include "rows/cancel_target.h"
#include "rows/index_lookup.h"

/* The units in a column; 0 if it is null.  OC014 if they are not finite. */
extern Numeric item_units(const ItemTable *items, const Column *column,
						  Datum value, bool isnull);

/* Fills an item from a row in the row type of the table of items. */
extern void item_from_tuple(const ItemTable *items, ItemTarget *item,
							HeapTuple row);

/*
 * Appends a condition on the order's key, parameters 1 to n.  The columns may
 * be of another integer or text type than the order's.
 */
extern void item_order_qual(StringInfo sql, const ItemTable *items,
							const char *alias);

/* The same from a row of the table of items, or of a partition, in a slot. */
extern void item_from_slot(const ItemTable *items, ItemTarget *item,
						   Relation rel, TupleTableSlot *slot);

/* Reads the items of several orders, through the same index scans. */
typedef struct ItemReader
{
	ItemTable	   *items;
	ReadSnapshot	snapshot;
	bool			by_index; /* otherwise only item_read_all, item_lock */
	Relation		rel;
	TupleTableSlot *slot;
	IndexLookup		of_order;
	IndexLookup		by_key;
} ItemReader;

extern void item_reader_begin(ItemReader *reader, ItemTable *items,
							  ReadSnapshot snapshot);
extern void item_reader_end(ItemReader *reader);

/* Sets c->items to all items of the order. */
extern void item_read_all(ItemReader *reader, CancelTarget *c);

/* Adds one item to c->items; returns NULL if the order has none of that key. */
extern ItemTarget *item_read_one(ItemReader *reader, CancelTarget *c,
								 const ItemArg *given);

/* Has the order items with units left, fulfilled or not, besides c->items? */
extern bool item_read_others_left(ItemReader *reader, const CancelTarget *c);

/* Is the item one of the target's order? */
extern bool item_is_of_order(const CancelTarget *c, const ItemTarget *item);

/* The item with the key in c->items, which is sorted; NULL if it has none. */
extern ItemTarget *item_find(const CancelTarget *c, const Datum *key);

/* Sorts c->items by key, as they are to be locked. */
extern void item_sort(CancelTarget *c);

/*
 * Locks the items with to_lock, and reads their latest versions.  An item that
 * is gone, or of another order now, is removed from c->items.
 */
extern void item_lock(ItemReader *reader, CancelTarget *c);

/*
 * Reads the item again: are its units what was read before?  Code of the owner
 * may have changed them since.
 */
extern bool item_is_unchanged(CancelTarget *c, const ItemTarget *item);

/* Is the key one column of an integer type? */
extern bool item_key_is_integer(const ItemTable *items);

/* The key of the item's order; false if a column is null. */
extern bool item_order_key(const ItemTable *items, HeapTuple row, Datum *key);

/* The units that are not canceled, fulfilled or not. */
extern Numeric item_not_canceled(const ItemTarget *item);

/* The units that are neither canceled nor, if evaluated, fulfilled. */
extern Numeric item_left(const ItemTarget *item);

/* Evaluates "fulfilled" for one item that is not part of a call. */
extern void item_expr_fulfilled(ItemTable *items, ItemTarget *item);

/*
 * Evaluates the owner's expressions for items that are meant: what is
 * fulfilled, and once item->take is known, what the amount falls by.  Does so
 * only where it was not done yet.  Raises OC014 if an expression is no longer
 * valid or its result is not finite.  item_expr.c
 */
extern void item_expr_evaluate(CancelTarget *targets, int count);

/*
 * Writes the items with units to take, of all open targets.  Raises 27000 if
 * a trigger or rule has suppressed or changed an update.  item_update.c
 */
extern void item_update(CancelTarget *targets, int count);

/* The row with item->take more units canceled. */
extern HeapTuple item_row_after(const ItemTable	 *items,
								const ItemTarget *item);

/*
 * Can the column hold the units that would be canceled?  Not if units are
 * integers and "take" is a fraction, for instance.
 */
extern bool item_take_fits(const ItemTable *items, const ItemTarget *item,
						   Numeric take);

/* For the trigger: is this the update that item_update is making? */
extern bool item_update_is_ours(const ItemTable *items, const Datum *key);

#endif /* ORDCANCEL_ITEM_ROW_H */
