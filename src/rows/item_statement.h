/*
 * item_statement.h — reads and locks items by statements
 */
#ifndef ORDCANCEL_ITEM_STATEMENT_H
#define ORDCANCEL_ITEM_STATEMENT_H

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"

/* Appends all items of the order to c->items, sorted by key. */
extern void item_read_by_statement(CancelTarget *c, ReadSnapshot snapshot);

/*
 * Locks one item and reads its latest version.  Returns false if it is gone, or
 * of another order now.
 */
extern bool item_lock_by_statement(CancelTarget *c, const ItemTarget *item,
								   ItemTarget *latest);

#endif /* ORDCANCEL_ITEM_STATEMENT_H */
