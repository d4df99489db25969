/*
 * call_bytes.h — a call of a function as bytes
 */
#ifndef ORDCANCEL_CALL_BYTES_H
#define ORDCANCEL_CALL_BYTES_H

#include "fmgr.h"
#include "lib/stringinfo.h"

/*
 * Function and arguments, so that calls with the same bytes are the same.
 * False where the types are not known, as of calls by the fast-path protocol,
 * which nothing multiplies.
 */
extern bool call_bytes(FunctionCallInfo fcinfo, StringInfo key);

#endif /* ORDCANCEL_CALL_BYTES_H */
