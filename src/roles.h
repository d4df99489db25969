/*
 * roles.h — which party a role may act for
 *
 * GRANT is the whole model: EXECUTE on a function says what a role may do.
 */
#ifndef ORDCANCEL_ROLES_H
#define ORDCANCEL_ROLES_H

#include "words.h"

/* May the current role execute a function of schema ordcancel? */
extern bool role_may(Verb verb);

/* For whom the current role writes plainly: the merchant if it may. */
extern Party role_party(void);

/* The name that an event tells when nobody named an actor. */
extern char *role_name(void);

#endif /* ORDCANCEL_ROLES_H */
