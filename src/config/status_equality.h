/*
 * status_equality.h — statuses that are equal and yet differ as text
 *
 * For citext, or a collation that is not deterministic: a status must not
 * slip past its rule by being written in capitals.  Such a table has all
 * words of its policies and rules read at once, with their values; any other
 * has none.
 */
#ifndef ORDCANCEL_STATUS_EQUALITY_H
#define ORDCANCEL_STATUS_EQUALITY_H

#include "config/order_table.h"

/* Can two values of the status column be equal and yet differ as text? */
extern bool status_equality_needed(const OrderTable *table);

/*
 * Reads the words into the current memory context, as the table's owner, whose
 * code the checks of a domain are.
 */
extern void status_equality_load(OrderTable *table);

/*
 * The word of the rules that a status, also given as text, is, the policy's
 * own before another's: where case does not count, 'CANCELED' is canceled.
 * Else the text.
 */
extern char *status_equality_canonical(const OrderTable *table,
									   const Policy *policy, Datum value,
									   char *text);

/* What any policy takes a word for, the weightiest meaning. */
extern StatusKind status_equality_kind(const OrderTable *table,
									   const char		*word);

#endif /* ORDCANCEL_STATUS_EQUALITY_H */
