/*
 * call_statement.h — calls the function that a row of a table of calls names
 */
#ifndef ORDCANCEL_CALL_STATEMENT_H
#define ORDCANCEL_CALL_STATEMENT_H

#include "entry/call_row.h"

/*
 * Calls it and puts the answer into the row, a CallRow.  The caller is connected
 * to SPI, and its memory context is that of the row.
 */
extern void call_run(void *row);

/* The same, connecting to SPI, and without the CONTEXT of the statement. */
extern void call_run_raising(CallRow *c);

#endif /* ORDCANCEL_CALL_STATEMENT_H */
