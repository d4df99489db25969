/*
 * trigger_call.h — checks how a trigger function was called
 */
#ifndef ORDCANCEL_TRIGGER_CALL_H
#define ORDCANCEL_TRIGGER_CALL_H

#include "commands/trigger.h"
#include "fmgr.h"

/*
 * The TriggerData of the call.  39P01 (trigger_protocol_violated) if the
 * function was not called as a trigger.
 */
extern TriggerData *trigger_call(FunctionCallInfo fcinfo);

/*
 * The same, and 39P01 unless it is an AFTER ROW trigger for "event":
 * TRIGGER_EVENT_INSERT, _UPDATE or _DELETE, or TRIGGER_EVENT_ANY_ROW.
 */
#define TRIGGER_EVENT_ANY_ROW ((TriggerEvent) -1)

extern TriggerData *trigger_call_after_row(FunctionCallInfo fcinfo,
										   TriggerEvent		event);

#endif /* ORDCANCEL_TRIGGER_CALL_H */
