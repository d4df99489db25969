/*
 * call_bytes.h — a function call as a string of bytes
 */
#ifndef ORDCANCEL_CALL_BYTES_H
#define ORDCANCEL_CALL_BYTES_H

#include "fmgr.h"
#include "lib/stringinfo.h"

/*
 * Initializes "key" and fills it with the function's OID, and types and values
 * of the arguments, so that two calls are the same if their bytes are.
 * Returns false if the argument types are unknown, as in a call by the
 * fast-path protocol, which is never repeated.
 */
extern bool call_bytes(FunctionCallInfo fcinfo, StringInfo key);

#endif /* ORDCANCEL_CALL_BYTES_H */
