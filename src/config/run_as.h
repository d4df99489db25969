/*
 * run_as.h — runs code as the owner of the order table, or as another role
 *
 * A caller needs only SELECT on the order table.  After a check that the order
 * is visible to the caller, it is read and written as the owner of the table,
 * like foreign-key triggers do.  Code of the owner (triggers, blocks,
 * refund_due, checks of domains, expressions of indexes) then runs with the
 * search_path that the owner had at attach(), not with the caller's.  Settings
 * that it changes are restored.
 *
 * Unless the session is the owner's own, this is a security-restricted
 * operation, as in REINDEX.  So the code cannot leave anything behind that
 * would run with the privileges of the caller: no temporary objects, prepared
 * statements or WITH HOLD cursors, and no deferred triggers, which fire
 * immediately (base/immediate_triggers.h).
 *
 * Every run_as_*() must be paired with run_as_end().  After an error, the abort
 * of the (sub)transaction restores the role and the settings.
 */
#ifndef ORDCANCEL_RUN_AS_H
#define ORDCANCEL_RUN_AS_H

#include "utils/relcache.h"

#include "config/order_table.h"

/* What run_as_end() has to restore. */
typedef struct RunAsScope
{
	Oid userid;
	int security;
	int guc_nest;

	/*
	 * The order table and the table of its items, or NULL.  They are kept open
	 * so that code of the owner cannot alter them during the call
	 * (CheckTableNotInUse()).
	 */
	Relation rel;
	Relation items;
} RunAsScope;

/* As the owner of the order table, on which the caller holds a lock. */
extern void run_as_owner(RunAsScope *scope, const OrderTable *table);
extern void run_as_end(const RunAsScope *scope);

/* The same, connected to SPI; the memory context remains the caller's. */
extern void run_as_owner_spi(RunAsScope *scope, const OrderTable *table);
extern void run_as_end_spi(const RunAsScope *scope);

/* As any role, with the current search_path. */
extern void run_as_role(RunAsScope *scope, Oid role);
extern void run_as_role_restricted(RunAsScope *scope, Oid role);

/* As the owner of the extension, with pg_catalog as search_path. */
extern void run_as_extension_owner(RunAsScope *scope);

/*
 * As a role, in a security-restricted operation: to read the order table under
 * its row-level security, whose policies are code of the owner.
 */
extern void run_as_reader(RunAsScope *scope, Oid role);

/* Restricted even in a session of the owner, for code that only checks. */
extern void run_as_owner_restricted(RunAsScope		 *scope,
									const OrderTable *table);

/*
 * As the owner of a child table, who need not be that of the order table, with
 * the search_path of attach_child().  Restricted unless the session is the
 * owner's own, or always for code that only checks.
 */
extern void run_as_child_owner(RunAsScope *scope, Oid owner,
							   const char *search_path, bool restricted);

/*
 * Sets pg_catalog as search_path, with which pinned texts are parsed.  _begin
 * returns the GUC nesting level for _end.
 */
extern int	safe_search_path_begin(void);
extern void safe_search_path_end(int guc_nest);

/*
 * Fires the deferred triggers now, while the scope of the owner is open, so
 * that their errors belong to this order.  Only for a transaction in which
 * nothing of the caller is deferred, as in sweep() and cancel_batch().
 * Requires SPI.
 */
extern void run_as_fire_deferred(void);

#endif /* ORDCANCEL_RUN_AS_H */
