/*
 * roles.h — which party a role may act for
 *
 * GRANT is the whole model: EXECUTE on a function says what a role may do.
 */
#ifndef ORDCANCEL_ROLES_H
#define ORDCANCEL_ROLES_H

#include "decision/refusal.h"

/* May the current role execute a function of schema ordcancel? */
extern bool role_may(Verb verb);

/*
 * For whom the current role acts where that is not said by the function: the
 * merchant if it may be, and the setting ordcancel.party does not keep it.
 */
extern Party role_party(void);

/* Does the setting keep the session from acting for the merchant? */
extern bool role_is_kept_customer(void);

/* What a function that is the merchant's is then refused with. */
extern void	   role_must_be_merchant(const char *function);
extern Refusal role_merchant_refusal(const char *function);

/* The name that an event tells when nobody named an actor. */
extern char *role_name(void);

#endif /* ORDCANCEL_ROLES_H */
