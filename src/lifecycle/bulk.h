/*
 * order_set.h — many orders at once, and one that fails does not stop the rest
 */
#ifndef ORDCANCEL_ORDER_SET_H
#define ORDCANCEL_ORDER_SET_H

#include "rows/cancel_target.h"

/*
 * Does a verb to the orders that the cases' keys name, as lifecycle_call does,
 * for those that the current role sees.  They are done together in one
 * subtransaction; where that fails, one after another, and an order that fails
 * is refused with its error.
 *
 * "settle" also runs what triggers have deferred, so that their errors belong
 * to an order and not to the commit.
 */
extern void order_set_call(OrderCase *cases, int count, const Call *call,
						   bool settle);

/* What order_set_call would do, without locks or changes. */
extern void order_set_preview(OrderCase *cases, int count, const Call *call);

/* The word for what became of an order: canceled, already, refused, … */
extern const char *order_set_outcome(const OrderCase *c);

/* Makes a refusal of what was not found, or is locked. */
extern void order_set_explain(OrderCase *c);

#endif /* ORDCANCEL_ORDER_SET_H */
