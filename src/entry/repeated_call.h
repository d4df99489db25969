/*
 * repeated_call.h — repeated evaluation of one call is one call
 *
 * PostgreSQL expands "(f(x)).*" to one call of f for each column, and a join
 * may call f once for each row that it tries.  If a statement repeats a call,
 * with the same function and the same arguments, the repetition must not
 * confirm a request that the first call made, or add a refund again.  It
 * returns the result of the first call.
 *
 * A statement is identified by two things: the memory context that holds the
 * function's FmgrInfo, since the executor creates one for each execution, and
 * the command ID of its snapshot, since PL/pgSQL evaluates all simple
 * expressions of a transaction in one context.  Results are kept in that
 * memory context and freed with it.  What a subtransaction did is forgotten if
 * it is rolled back.
 */
#ifndef ORDCANCEL_REPEATED_CALL_H
#define ORDCANCEL_REPEATED_CALL_H

#include "fmgr.h"
#include "lib/stringinfo.h"

/*
 * If the statement has made the same call before, returns true and a copy of
 * its result.  Sets "key" for repeated_call_remember.
 */
extern bool repeated_call_find(FunctionCallInfo fcinfo, StringInfo key,
							   Datum *result);

/*
 * Remembers the result, a row, of a call that changed something.  A call that
 * changed nothing need not be remembered: it can be made again.
 */
extern void repeated_call_remember(FunctionCallInfo fcinfo, StringInfo key,
								   Datum result);

#endif /* ORDCANCEL_REPEATED_CALL_H */
