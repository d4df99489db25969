/*
 * visibility.h — which orders a caller may see
 *
 * All of this is asked as the caller, before anything is done as the owner of
 * the order table.
 */
#ifndef ORDCANCEL_VISIBILITY_H
#define ORDCANCEL_VISIBILITY_H

#include "rows/cancel_target.h"

/* Does the current role see every order, so that none has to be looked for? */
extern bool visibility_sees_all(Oid relid);

/*
 * May the current role see this order?  An error if it may read none.
 */
extern bool visibility_sees_order(OrderTable *table, const Datum *key);

/*
 * Makes those of the targets that the current role does not see TARGET_NOT_FOUND;
 * the others may be locked afterwards.
 */
extern void visibility_filter(CancelTarget *targets, int count,
							  bool skip_locked);

/* Raises 42501 unless the current role may read some column of the table. */
extern void visibility_check_select(const OrderTable *table);

/*
 * Replaces what the writer of a refused plain write may not read: with UPDATE
 * alone nobody must find out keys and statuses.  "all_rows": of an order that
 * the writer need not have seen.
 */
extern void visibility_redact(const OrderTable *table, bool all_rows,
							  Refusal *refusal);

#endif /* ORDCANCEL_VISIBILITY_H */
