/*
 * policy_load.h — loads policies, rules and blocks from their tables
 *
 * policy_cache.c caches the policies; blocks are part of the OrderTable.
 */
#ifndef ORDCANCEL_POLICY_LOAD_H
#define ORDCANCEL_POLICY_LOAD_H

#include "config/order_table.h"

/*
 * Loads a policy with its rules into the current memory context; NULL if there
 * is none of that name.  Sets *fingerprint to that of the rows
 * (config_fingerprint()).
 */
extern Policy *policy_load(const OrderTable *table, const char *name,
						   uint64 *fingerprint);

/* Loads the blocks of the table into the current memory context. */
extern void policy_load_blocks(OrderTable *table);

/* The highest StatusKind that any policy of the table gives the status. */
extern StatusKind policy_load_status_kind(const OrderTable *table,
										  const char	   *status);

/*
 * Is the status one of the closed_statuses of any policy of the table?  Reads
 * all policies that have such statuses.
 */
extern bool policy_load_is_closed(const OrderTable *table, const char *status);

/*
 * The first status after "after", in bytewise order, that has a deletable rule
 * in some policy; NULL if there are no more.
 */
extern char *policy_load_next_deletable(const OrderTable *table,
										const char		 *after);

/* Receives a rule with expire_after, of any table. */
typedef void (*TimerCallback)(Oid orders, const char *status,
							  const Interval *expire_after, void *arg);

/* Calls it for all of them, sorted by table and status. */
extern void policy_load_timers(TimerCallback take, void *arg);

/* Receives a status that a policy, or one of its rules, names; may be NULL. */
typedef void (*PolicyStatusCallback)(char *status, char *policy,
									 StatusKind kind, void *arg);

/* Calls it for all policies and rules of the table, which may be many. */
extern void policy_load_statuses(const OrderTable	 *table,
								 PolicyStatusCallback take, void *arg);

/*
 * Appends to table->functions the functions that an expression calls, as one
 * text (see expression.h); NULL is ignored.
 */
extern void policy_load_functions(OrderTable *table, const char *functions);

#endif /* ORDCANCEL_POLICY_LOAD_H */
