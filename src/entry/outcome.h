/*
 * outcome.h — the result of the functions that act on one order
 */
#ifndef ORDCANCEL_OUTCOME_H
#define ORDCANCEL_OUTCOME_H

#include "fmgr.h"

#include "rows/cancel_target.h"

/* A row of type ordcancel.outcome. */
extern Datum outcome_datum(FunctionCallInfo fcinfo, const CancelTarget *c,
						   const Outcome *o);

#endif /* ORDCANCEL_OUTCOME_H */
