/*
 * run_as.h — acting as the owner of an order table
 *
 * A caller needs no right on the order table but SELECT: once it is known
 * that the caller may see the order, reads and writes are done as the table's
 * owner, as foreign-key triggers do.  The owner's code (triggers, blocks,
 * refund_due, checks of domains, expressions of indexes) then runs with the
 * owner's search_path as of attach, never with the caller's, and its settings
 * are set back.
 *
 * Unless the session is the owner's own, the code runs as REINDEX runs that of
 * an index: in a security-restricted operation.  It can leave nothing behind
 * that would run, or be found, with the rights of whoever called: no temporary
 * object, no prepared statement, no cursor WITH HOLD, and no deferred trigger,
 * since those fire at once (deferred.h).
 *
 * An error unwinds all of it with the (sub)transaction.
 */
#ifndef ORDCANCEL_RUN_AS_H
#define ORDCANCEL_RUN_AS_H

#include "utils/relcache.h"

#include "config/order_table.h"

typedef struct RunAsScope
{
	Oid userid;
	int security;
	int guc_nest;

	/*
	 * The order table, held open: code of the owner's cannot change under us
	 * what we know of it (CheckTableNotInUse).
	 */
	Relation rel;
} RunAsScope;

extern void run_as_owner(RunAsScope *scope, const OrderTable *table);
extern void run_as_end(const RunAsScope *scope);

/* The same, connected to SPI; the memory context stays the caller's. */
extern void run_as_owner_spi(RunAsScope *scope, const OrderTable *table);
extern void run_as_end_spi(const RunAsScope *scope);

/* As any role, without a change of search_path. */
extern void run_as_role(RunAsScope *scope, Oid role);
extern void run_as_role_restricted(RunAsScope *scope, Oid role);

/* As the owner of the extension, to write its tables. */
extern void run_as_extension_owner(RunAsScope *scope);

/*
 * As the caller, who reads a table of the owner's: its row-level security is
 * the owner's code, but is for whoever reads.  It leaves nothing behind either.
 */
extern void run_as_caller_restricted(RunAsScope *scope);

/* Restricted even in a session of the owner's: only to check something. */
extern void run_as_owner_restricted(RunAsScope		 *scope,
									const OrderTable *table);

/* The search_path under which the text that we have pinned is read. */
extern int	safe_search_path_begin(void);
extern void safe_search_path_end(int guc_nest);

/*
 * Runs, as the owner still, what his code has deferred to the end of a
 * transaction that is ours alone.
 */
extern void run_as_fire_deferred(void);

#endif /* ORDCANCEL_RUN_AS_H */
