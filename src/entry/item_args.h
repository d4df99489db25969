/*
 * item_args.h — reads the items that a call means
 */
#ifndef ORDCANCEL_ITEM_ARGS_H
#define ORDCANCEL_ITEM_ARGS_H

#include "fmgr.h"

#include "rows/cancel_target.h"

/*
 * Sets c->item_args from a jsonb argument like
 *   [{"item": 7, "quantity": 2, "reason": "damaged", "note": "box crushed"}]
 * If the call gives no reason but each item does, sets args->reason to that of
 * the first.  Raises 22023 for other JSON, OC006 for an invalid reason, OC014
 * if the order table has no items, and OC016 if a value cannot be a key of an
 * item.
 */
extern void item_args_read(CancelTarget *c, FunctionCallInfo fcinfo, int arg,
						   CancelArgs *args);

#endif /* ORDCANCEL_ITEM_ARGS_H */
