/*
 * items_steps.h — steps shared by lifecycle_items.c and items_*.c
 */
#ifndef ORDCANCEL_ITEMS_STEPS_H
#define ORDCANCEL_ITEMS_STEPS_H

#include "rows/cancel_target.h"
#include "rows/item_row.h"

/* The cause of a refusal is the first item that is not available. */
extern void items_set_check(CancelTarget *c, ItemsCheck check, char *detail);

/* Does the call mean some items, not the whole order? */
extern bool items_are_meant(const CancelTarget *c);

/* Reads the items of a target, and marks those that the call means. */
extern void items_read(ItemReader *reader, CancelTarget *c);

/*
 * Does the call mean the items of the open request?  Without a quantity it
 * means all that can be canceled.  The arguments are sorted by key.
 */
extern bool items_are_requested(const CancelTarget *c);

/*
 * Determines the units that are taken of the items read, and what the decision
 * has to know of them.
 */
extern void items_take(CancelTarget *targets, int count);

/* The same for an undo: determines the units that are given back. */
extern void items_give_back(CancelTarget *targets, int count);

#endif /* ORDCANCEL_ITEMS_STEPS_H */
