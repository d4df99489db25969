/*
 * deferred.h — deferred triggers of an owner's code fire at once
 *
 * PostgreSQL refuses to defer a trigger out of a security-restricted operation
 * (as_owner.h): it would fire at the commit, as somebody else.  A shop whose
 * foreign keys are INITIALLY DEFERRED could then cancel nothing.  So what is
 * written there counts its deferrable triggers as not deferrable: they fire at
 * the end of the statement that queues them, as the owner.
 */
#ifndef ORDCANCEL_DEFERRED_H
#define ORDCANCEL_DEFERRED_H

#include "nodes/execnodes.h"

/* Hooks into the start of statements. */
extern void deferred_init(void);

/* The same for a relation that is written without a statement. */
extern void deferred_fire_at_once(ResultRelInfo *info);

#endif /* ORDCANCEL_DEFERRED_H */
