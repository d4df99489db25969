/*
 * as_owner.h — acting as the owner of an order table
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
#ifndef ORDCANCEL_AS_OWNER_H
#define ORDCANCEL_AS_OWNER_H

#include "utils/relcache.h"

#include "config/order_table.h"

typedef struct OwnerScope
{
	Oid userid;
	int security;
	int guc_nest;

	/*
	 * The order table, held open: code of the owner's cannot change under us
	 * what we know of it (CheckTableNotInUse).
	 */
	Relation rel;
} OwnerScope;

extern void owner_enter(OwnerScope *scope, const OrderTable *table);
extern void owner_leave(const OwnerScope *scope);

/* As any role, without a change of search_path. */
extern void role_enter(OwnerScope *scope, Oid role);
extern void role_enter_restricted(OwnerScope *scope, Oid role);

/* As the owner of the extension, to write its tables. */
extern void extension_enter(OwnerScope *scope);

/*
 * As the caller, who reads a table of the owner's: its row-level security is
 * the owner's code, but is for whoever reads.  It leaves nothing behind either.
 */
extern void reader_enter(OwnerScope *scope);

/* Restricted even in a session of the owner's: only to check something. */
extern void owner_enter_restricted(OwnerScope *scope, const OrderTable *table);

/* The search_path under which the text that we have pinned is read. */
extern int	pinned_path_enter(void);
extern void pinned_path_leave(int guc_nest);

/*
 * Runs, as the owner still, what his code has deferred to the end of a
 * transaction that is ours alone.
 */
extern void owner_settle(void);

#endif /* ORDCANCEL_AS_OWNER_H */
