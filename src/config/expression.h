/*
 * expression.h — checks SQL expressions that users pass as text
 *
 * For conditions of blocks, refund_due, deleted_when, the values of also_set()
 * and the expressions over items and children, when they are set.
 * pinned_query.h runs the result later.
 */
#ifndef ORDCANCEL_EXPRESSION_H
#define ORDCANCEL_EXPRESSION_H

#include "config/order_table.h"

/* The name of the row, of an order, item or child, in pinned expressions. */
#define PINNED_ROW "order_row"

/* The name of the record of the order's cancellation. */
#define PINNED_RECORD "cancellation"

/* Is the text a single expression?  42601 if it cannot be parsed at all. */
extern bool expression_is_one(const char *text);

/*
 * Pins an expression over a row of "relid", the order table or the table of its
 * items or children: returns its text with all names outside pg_catalog
 * schema-qualified and all casts written out, so that it means the same under
 * any search_path.  The expression is coerced to "type", unless that is
 * InvalidOid.
 * It is analyzed, but not run; errors of the parser and 42601, 42804, 42P16 and
 * 0A000 are raised if it cannot be used.  *functions is set to the result of
 * expression_functions_text().
 */
extern char *expression_pin(const char *time_zone, Oid relid, const char *text,
							Oid type, char **functions);

/*
 * The type of a pinned expression, as a list; of ROW(...), the types of its
 * columns.
 */
extern List *expression_types(Oid relid, const char *pinned);

/*
 * The same for an expression over a row of the order table and the record of
 * its cancellation, PINNED_RECORD, whose columns have to be qualified.
 */
extern char *expression_pin_with_record(const OrderTable *table,
										const char *text, Oid type,
										char **functions);

/*
 * The functions outside pg_catalog that a Query or an expression calls, as a
 * list of qualified signatures.  When a pinned text is parsed again, it must
 * not call other functions: a function with better matching argument types may
 * have been created since.
 */
extern List *expression_functions(Node *node);

/* Is the signature in the list? */
extern bool expression_calls(List *functions, const char *signature);

/* The same list as a text, one signature per line, and back. */
extern char *expression_functions_text(Node *node);
extern List *expression_functions_of(const char *text);

/*
 * The names of the columns of the row that a pinned text reads, each once, as
 * char *; NULL in it stands for the whole row.  The text is not analyzed, so it
 * need not be valid any more.
 */
extern List *expression_columns(const char *pinned);

#endif /* ORDCANCEL_EXPRESSION_H */
