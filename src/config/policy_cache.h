/*
 * policy_cache.h — the policies of an order table that this session has used
 *
 * A policy is read when an order first needs it, and read again after the
 * table's rules may have changed (OrderTable.changes); it is replaced only if
 * its rows are not what they were.  One that was handed out stays until the
 * transaction ends.  Whatever the number of suppliers, a transaction takes over
 * a thousand of them at most from the one before.
 */
#ifndef ORDCANCEL_POLICY_CACHE_H
#define ORDCANCEL_POLICY_CACHE_H

#include "config/order_table.h"

/* The policy of that name, else the default one. */
extern const Policy *policy_cache_get(OrderTable *table, const char *name);

/*
 * What a status means for an order of a policy: what the policy says, else
 * what any other policy of the table says; of several meanings canceled goes
 * before in progress, and that before requested.
 */
extern StatusKind policy_cache_status_kind(OrderTable	*table,
										   const Policy *policy,
										   const char	*status);

/* Does some rule let go what some policy calls canceled? */
extern bool policy_cache_canceled_deletable(OrderTable *table);

#endif /* ORDCANCEL_POLICY_CACHE_H */
