/*
 * as_owner.h — acting as the owner of an order table
 *
 * A caller needs no right on the order table but SELECT: once it is known
 * that the caller may see the order, reads and writes are done as the table's
 * owner, as foreign-key triggers do.  The owner's code (triggers, blocks,
 * refund_due) then runs with the owner's search_path as of attach, never with
 * the caller's, and what it sets is set back when it is not the caller's own.
 * An error unwinds all of it with the (sub)transaction.
 */
#ifndef ORDCANCEL_AS_OWNER_H
#define ORDCANCEL_AS_OWNER_H

#include "order_table.h"

typedef struct OwnerScope
{
	Oid userid;
	int security;
	int guc_nest;
} OwnerScope;

extern void owner_enter(OwnerScope *scope, const OrderTable *table);
extern void owner_leave(const OwnerScope *scope);

/* As any role, without a change of search_path. */
extern void role_enter(OwnerScope *scope, Oid role);

/* As the owner of the extension, to write its tables. */
extern void extension_enter(OwnerScope *scope);

/*
 * As the owner only to check something: what the owner's code would leave
 * behind for the end of the transaction, and so to the caller's rights
 * (deferred triggers, cursors), is refused.
 */
extern void owner_enter_restricted(OwnerScope *scope, const OrderTable *table);

/*
 * Runs, as the owner still, what his code left for the end of the transaction
 * when that commit is the caller's: an error if it also left a cursor, beyond
 * those that were counted before.  The caller is connected to SPI.
 */
extern uint64 owner_cursors(void);
extern void	  owner_settle(uint64 cursors);

#endif /* ORDCANCEL_AS_OWNER_H */
