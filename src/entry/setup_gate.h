/*
 * setup_gate.h — runs the configuration functions as the extension's owner
 */
#ifndef ORDCANCEL_SETUP_GATE_H
#define ORDCANCEL_SETUP_GATE_H

#include "fmgr.h"

/*
 * Calls the function of the same name and arguments in schema
 * ordcancel_internal as the extension's owner.  The caller has checked what
 * the current role may do, and passes text for an argument of any type.
 */
extern Datum setup_gate_call(FunctionCallInfo fcinfo);

/* The role that called the innermost gate that is running; InvalidOid: none. */
extern Oid setup_gate_caller(void);

/*
 * Sets search_path and others back to what its caller has, until the end of the
 * current GUC nesting level.
 */
extern void setup_gate_use_caller_settings(void);

/*
 * Raises OC001 if the order table that is the first argument is not attached,
 * 42501 if the caller may not read it, or any order of it that row-level
 * security shows.
 */
extern void setup_gate_check_row_reader(FunctionCallInfo fcinfo);

#endif /* ORDCANCEL_SETUP_GATE_H */
