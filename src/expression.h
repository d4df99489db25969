/*
 * expression.h — SQL expressions that a user gives as text
 */
#ifndef ORDCANCEL_EXPRESSION_H
#define ORDCANCEL_EXPRESSION_H

#include "order_table.h"

/* What a pinned expression calls the order row, whatever the table is called. */
#define PINNED_ROW "order_row"

/* Is the text one expression, and nothing more?  Errors where it is no SQL. */
extern bool expression_is_one(const char *text);

/*
 * The expression over a row of the order table again, as a value of the type,
 * with every name that is not PostgreSQL's own qualified and every cast
 * written out, so that it means the same under any search_path (pinned.h).
 * Nothing of it is run.  An error where it does not fit.
 */
extern char *expression_pin(const OrderTable *table, const char *text,
							Oid type);

#endif /* ORDCANCEL_EXPRESSION_H */
