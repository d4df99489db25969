/*
 * trigger_call.h — is a trigger function called as the trigger it is for?
 */
#ifndef ORDCANCEL_TRIGGER_CALL_H
#define ORDCANCEL_TRIGGER_CALL_H

#include "commands/trigger.h"
#include "fmgr.h"

/*
 * The data of a trigger function's call.  39P01
 * (trigger_protocol_violated) if it is called in another way.
 */
extern TriggerData *trigger_call(FunctionCallInfo fcinfo);

/*
 * The same for a trigger AFTER ROW.  "event" is TRIGGER_EVENT_INSERT, _UPDATE
 * or _DELETE, or TRIGGER_EVENT_ANY_ROW.
 */
#define TRIGGER_EVENT_ANY_ROW ((TriggerEvent) -1)

extern TriggerData *trigger_call_after_row(FunctionCallInfo fcinfo,
										   TriggerEvent		event);

#endif /* ORDCANCEL_TRIGGER_CALL_H */
