/*
 * expression.h — SQL expressions that a user gives as text
 */
#ifndef ORDCANCEL_EXPRESSION_H
#define ORDCANCEL_EXPRESSION_H

/* Is the text one expression, and nothing more?  Errors where it is no SQL. */
extern bool expression_is_one(const char *text);

#endif /* ORDCANCEL_EXPRESSION_H */
