/*
 * bulk.h — many orders at once, and one that fails does not stop the rest
 */
#ifndef ORDCANCEL_BULK_H
#define ORDCANCEL_BULK_H

#include "rows/cancel_target.h"

/*
 * Does a verb to the orders that the cases' keys name, as lifecycle_run does,
 * for those that the current role sees.  They are done together in one
 * subtransaction; where that fails, one after another, and an order that fails
 * is refused with its error.
 *
 * "settle" also runs what triggers have deferred, so that their errors belong
 * to an order and not to the commit.
 */
extern void bulk_run(CancelTarget *targets, int count, const CancelArgs *args,
					 bool settle);

/* What bulk_run would do, without locks or changes. */
extern void bulk_preview(CancelTarget *targets, int count,
						 const CancelArgs *args);

/* The word for what became of an order: canceled, already, refused, … */
extern const char *bulk_outcome(const CancelTarget *c);

/* Makes a refusal of what was not found, or is locked. */
extern void bulk_explain(CancelTarget *c);

#endif /* ORDCANCEL_BULK_H */
