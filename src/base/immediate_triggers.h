/*
 * immediate_triggers.h — makes deferrable triggers fire immediately
 *
 * Code of the owner of an order table runs in a security-restricted operation
 * (config/run_as.h).  PostgreSQL refuses to defer a trigger there, because the
 * trigger would fire at the commit, as another role.  Orders with a foreign key
 * that is INITIALLY DEFERRED could then not be canceled.  Therefore, within
 * such an operation all deferrable triggers are treated as not deferrable:
 * they fire at the end of the statement that queues them, as the owner.
 *
 * For the same time, hooks restrict utility commands:
 * - SET CONSTRAINTS is ignored, because it would change what the caller has
 *   deferred, or run it as the owner.
 * - Commands that create objects in the session's temporary schema are
 *   refused.  PostgreSQL refuses only some of them.
 * - DROP TABLE is refused, because PostgreSQL lets the owner of a schema drop
 *   any table in it, including the record tables.
 */
#ifndef ORDCANCEL_IMMEDIATE_TRIGGERS_H
#define ORDCANCEL_IMMEDIATE_TRIGGERS_H

#include "nodes/execnodes.h"

/* Installs the hooks; called once, when the library is loaded. */
extern void immediate_triggers_init(void);

/*
 * Begins and ends a scope.  Scopes nest; in the innermost one triggers fire
 * immediately if "immediate" is set and the code runs in a security-restricted
 * operation.  An abort of the (sub)transaction ends the scopes begun in it.
 */
extern void immediate_triggers_begin(bool immediate);
extern void immediate_triggers_end(void);

/*
 * Applies the same to a relation that is written without the executor's
 * ExecutorStart(), so that the hook does not see it.
 */
extern void immediate_triggers_apply(ResultRelInfo *info);

#endif /* ORDCANCEL_IMMEDIATE_TRIGGERS_H */
