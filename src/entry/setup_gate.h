/*
 * setup_gate.h — runs the configuration functions as the extension's owner
 */
#ifndef ORDCANCEL_SETUP_GATE_H
#define ORDCANCEL_SETUP_GATE_H

#include "fmgr.h"

/*
 * Calls the function of the same name and arguments in schema
 * ordcancel_internal as the extension's owner.  The caller has checked what
 * the current role may do.
 */
extern Datum setup_gate_call(FunctionCallInfo fcinfo);

#endif /* ORDCANCEL_SETUP_GATE_H */
