/*
 * roles.h — for which party a role may act
 *
 * Privileges are granted with GRANT alone: a role may do what it has EXECUTE
 * for.  In addition, ordcancel.party can restrict a session to the customer.
 */
#ifndef ORDCANCEL_ROLES_H
#define ORDCANCEL_ROLES_H

#include "decision/refusal.h"

/* May the current role execute a function of this name in schema ordcancel? */
extern bool role_may(Verb verb);

/*
 * The party for which the current role acts where the function does not imply
 * it: the merchant if the role may execute cancel_order and ordcancel.party
 * does not restrict it, else the customer.
 */
extern Party role_party(void);

/* Does ordcancel.party restrict the session to the customer? */
extern bool role_is_customer_only(void);

/*
 * Raises 42501 in such a session; for functions of the merchant.  The other
 * function returns that error as a Refusal.
 */
extern void	   role_must_be_merchant(const char *function);
extern Refusal role_merchant_refusal(const char *function);

/* The name of the current role, recorded as the actor if none is given. */
extern char *role_name(void);

#endif /* ORDCANCEL_ROLES_H */
