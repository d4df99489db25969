/*
 * repeated_call.h — calls that PostgreSQL multiplies are one
 *
 * "(f(x)).*" evaluates f once for each column, and a join may do so once for
 * each row that it tries.  Within one statement the repetition of a call, by
 * the same function with the same arguments, must not confirm what the first
 * one asked or add what it added: it is told what the first one was told.
 *
 * A statement is what the executor makes of it: the memory context that the
 * function's FmgrInfo lives in, with which all of this goes, and the command
 * that its snapshot sees up to, since PL/pgSQL runs all expressions of a
 * transaction in one context.  What a savepoint took back was never done.
 */
#ifndef ORDCANCEL_REPEATED_CALL_H
#define ORDCANCEL_REPEATED_CALL_H

#include "fmgr.h"
#include "lib/stringinfo.h"

/*
 * Has the statement made this very call?  Then its result, copied.  The key is
 * for repeated_call_remember.
 */
extern bool repeated_call_find(FunctionCallInfo fcinfo, StringInfo key,
							   Datum *result);

/*
 * Remembers a call that changed something, with its result, a row.  One that
 * changed nothing may be made again; and to tell two statements apart it takes
 * a change between them.
 */
extern void repeated_call_remember(FunctionCallInfo fcinfo, StringInfo key,
								   Datum result);

#endif /* ORDCANCEL_REPEATED_CALL_H */
