/*
 * policy_cache.h — caches the policies of an order table
 *
 * A policy is loaded when an order first needs it.  It is loaded again after
 * rules may have changed (OrderTable.changes), and replaced if its rows differ.
 * A replaced policy is freed at the end of the transaction.  A transaction
 * starts with an empty cache if the one before has used more than 1,000
 * policies, so memory does not grow with their number.
 */
#ifndef ORDCANCEL_POLICY_CACHE_H
#define ORDCANCEL_POLICY_CACHE_H

#include "config/order_table.h"

/* The policy of that name; the default policy if there is none, or for NULL. */
extern const Policy *policy_cache_get(OrderTable *table, const char *name);

/*
 * What a status means for an order under the policy: its meaning under this
 * policy, or if that is STATUS_ORDINARY, the highest StatusKind that any policy
 * of the table gives it.  So a policy without statuses of its own cannot be
 * used to bypass those of the others.
 */
extern StatusKind policy_cache_status_kind(OrderTable	*table,
										   const Policy *policy,
										   const char	*status);

/*
 * Can canceled orders be deleted: is some rule deletable whose status means
 * canceled in some policy, or is a closed status of one?
 */
extern bool policy_cache_canceled_deletable(OrderTable *table);

#endif /* ORDCANCEL_POLICY_CACHE_H */
