/*
 * call_statement.h — calls the function that a row of a table of calls names
 */
#ifndef ORDCANCEL_CALL_STATEMENT_H
#define ORDCANCEL_CALL_STATEMENT_H

/*
 * Calls it and puts the answer into the row, a CallRow.  The caller is connected
 * to SPI, and its memory context is that of the row.
 */
extern void call_run(void *row);

#endif /* ORDCANCEL_CALL_STATEMENT_H */
