/*
 * policy_load.h — reading policies, rules, blocks and reasons from their tables
 *
 * Builds the plain structs that the decision reads.  policy_cache.c keeps the
 * policies; blocks live as long as their OrderTable; reasons are cached for the session and
 * read again when their table has changed.
 */
#ifndef ORDCANCEL_POLICY_LOAD_H
#define ORDCANCEL_POLICY_LOAD_H

#include "config/order_table.h"

/*
 * Reads a policy and its rules, by index, into the current memory context;
 * NULL when there is none of that name.  The mark is that of the rows, see
 * config_fingerprint.
 */
extern Policy *policy_load(const OrderTable *table, const char *name,
						   uint64 *mark);

/* Fills the blocks, in the current memory context. */
extern void policy_load_blocks(OrderTable *table);

/* What any policy of the table takes a status for, the weightiest meaning. */
extern StatusKind policy_load_status_kind(const OrderTable *table,
										  const char	   *status);

/* The next status that some rule lets be deleted, or NULL; they are sorted. */
extern char *policy_load_next_deletable(const OrderTable *table,
										const char		 *after);

/* Takes a status, or NULL, that a policy or a rule of it names. */
typedef void (*PolicyStatusCallback)(char *status, char *policy,
									 StatusKind kind, void *arg);

/* Reads all of them; there may be many. */
extern void policy_load_statuses(const OrderTable	 *table,
								 PolicyStatusCallback take, void *arg);

/* Adds to what the expressions of the table call. */
extern void policy_load_functions(OrderTable *table, const char *functions);

#endif /* ORDCANCEL_POLICY_LOAD_H */
