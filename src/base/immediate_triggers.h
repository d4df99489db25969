/*
 * immediate_triggers.h — deferred triggers of an owner's code fire at once
 *
 * PostgreSQL refuses to defer a trigger out of a security-restricted operation
 * (as_owner.h): it would fire at the commit, as somebody else.  A shop whose
 * foreign keys are INITIALLY DEFERRED could then cancel nothing.  So what is
 * written there counts its deferrable triggers as not deferrable: they fire at
 * the end of the statement that queues them, as the owner.
 *
 * SET CONSTRAINTS does nothing there: it would change what the caller has
 * deferred, or run it as the owner.  Nothing of theirs stays in the caller's
 * temporary schema, where PostgreSQL refuses only tables and types; and no
 * table is dropped, which PostgreSQL allows to the owner of its schema.
 */
#ifndef ORDCANCEL_IMMEDIATE_TRIGGERS_H
#define ORDCANCEL_IMMEDIATE_TRIGGERS_H

#include "nodes/execnodes.h"

/* Hooks into statements. */
extern void immediate_triggers_init(void);

/*
 * Between these it is so, where "at_once".  An error leaves, too, with the
 * (sub)transaction.
 */
extern void immediate_triggers_begin(bool at_once);
extern void immediate_triggers_end(void);

/* For a relation that is written without a statement. */
extern void immediate_triggers_apply(ResultRelInfo *info);

#endif /* ORDCANCEL_IMMEDIATE_TRIGGERS_H */
