/*
 * rules.h — reading policies, rules, blocks and reasons from their tables
 *
 * Builds the plain structs that the decision reads.  The order table's part
 * lives as long as its OrderTable; reasons are cached for the session and
 * read again when their table has changed.
 */
#ifndef ORDCANCEL_RULES_H
#define ORDCANCEL_RULES_H

#include "order_table.h"

extern void rules_init(void);

/* Fills policies, rules and blocks, in the current memory context. */
extern void rules_load(OrderTable *table);

/* NULL when there is no such reason. */
extern const Reason *reason_find(const char *code);

extern bool refund_method_exists(const char *code);

/* Adds to what the expressions of the table call. */
extern void add_functions(OrderTable *table, const char *functions);

#endif /* ORDCANCEL_RULES_H */
