/*
 * expression.h — SQL expressions that a user gives as text
 */
#ifndef ORDCANCEL_EXPRESSION_H
#define ORDCANCEL_EXPRESSION_H

#include "config/order_table.h"

/* What a pinned expression calls the order row, whatever the table is called. */
#define PINNED_ROW "order_row"

/* Is the text one expression, and nothing more?  Errors where it is no SQL. */
extern bool expression_is_one(const char *text);

/*
 * The expression over a row of the order table again, as a value of the type,
 * with every name that is not PostgreSQL's own qualified and every cast
 * written out, so that it means the same under any search_path (pinned.h).
 * Nothing of it is run.  An error where it does not fit.  *functions becomes
 * what expression_functions_text says of it.
 */
extern char *expression_pin(const OrderTable *table, const char *text,
							Oid type, char **functions);

/*
 * The functions other than PostgreSQL's own that a Query or an expression
 * calls, as a list of their full signatures.  A text that is read again must
 * call the same: one with a better match may have been made meanwhile.
 */
extern List *expression_functions(Node *node);
extern bool	 expression_calls(List *functions, const char *signature);

/* As one text, a line for each; and back. */
extern char *expression_functions_text(Node *node);
extern List *expression_functions_of(const char *text);

#endif /* ORDCANCEL_EXPRESSION_H */
