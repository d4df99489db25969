/*
 * status_equality.h — statuses that are equal but differ as text
 *
 * With citext or a nondeterministic collation, 'CANCELED' may equal 'canceled',
 * and must be treated alike.  For such a status column, all statuses that the
 * policies and rules name are loaded with the OrderTable, as values of the
 * column's type.
 */
#ifndef ORDCANCEL_STATUS_EQUALITY_H
#define ORDCANCEL_STATUS_EQUALITY_H

#include "config/order_table.h"

/* Can two values of the status column be equal and yet differ as text? */
extern bool status_equality_needed(const OrderTable *table);

/*
 * Loads them into the current memory context.  Acts as the table's owner,
 * because converting them to a domain runs its checks.  OC014 if the type has
 * no equality operator.
 */
extern void status_equality_load(OrderTable *table);

/*
 * The spelling in the configuration of a status, which is passed as a value and
 * as text: that of the given policy, else that of another policy, else "text".
 */
extern char *status_equality_canonical(const OrderTable *table,
									   const Policy *policy, Datum value,
									   char *text);

/*
 * The same for the text of a status that was recorded, and may be spelled as
 * another policy spells it.
 */
extern const char *status_equality_spelling(const OrderTable *table,
											const Policy	 *policy,
											const char		 *status);

/* What a status in that spelling means in any policy; the highest kind. */
extern StatusKind status_equality_kind(const OrderTable *table,
									   const char		*status);

#endif /* ORDCANCEL_STATUS_EQUALITY_H */
