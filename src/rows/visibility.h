/*
 * visibility.h — which orders the current role may see
 *
 * Functions act as the owner of the order table, so before that, these checks
 * have to find out whether the caller has SELECT on the table, and whether
 * row-level security lets the caller see the order.  All of them apply to the
 * current role, so they must be called before run_as_owner.
 */
#ifndef ORDCANCEL_VISIBILITY_H
#define ORDCANCEL_VISIBILITY_H

#include "rows/cancel_target.h"

/* Which orders of a table a role may read. */
typedef enum OrdersAccess
{
	ORDERS_NONE,
	ORDERS_BY_ROW, /* those that row-level security shows it */
	ORDERS_ALL,
} OrdersAccess;

/*
 * ORDERS_NONE also if there is no such table, or if row-level security applies
 * and the role cannot select from the table because it lacks USAGE on the
 * schema.  42501 if it applies and the setting row_security is off.
 */
extern OrdersAccess visibility_access(Oid relid, Oid role);

/* Does a SELECT as the role find the order, in the caller's snapshot? */
extern bool visibility_role_sees(OrderTable *table, const Datum *key,
								 Oid role);

/* Does the role have SELECT on the whole table, and no row security on it? */
extern bool visibility_sees_all(Oid relid);

/*
 * Does a SELECT as the role find the order?  Raises 42501 if the role may not
 * read the table's key.
 */
extern bool visibility_sees_order(OrderTable *table, const Datum *key);

/*
 * Sets open targets that the role does not see to TARGET_NOT_FOUND.  The
 * others are locked by it, unless the role sees all orders.
 */
extern void visibility_filter(CancelTarget *targets, int count,
							  bool skip_locked);

/* Raises 42501 unless the role has SELECT on a column of the table. */
extern void visibility_check_select(const OrderTable *table);

/*
 * Removes keys and statuses from the refusal of a plain write if the role may
 * not read them: a role with only UPDATE must not learn them from errors.
 * "all_rows" says that the order may be one that row security hides from the
 * role.
 */
extern void visibility_redact(const OrderTable *table, bool all_rows,
							  Refusal *refusal);

#endif /* ORDCANCEL_VISIBILITY_H */
