/*
 * trigger_call.c — checks how a trigger function was called
 */
#include "postgres.h"

#include "base/trigger_call.h"

TriggerData *
trigger_call(FunctionCallInfo fcinfo)
{
	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by trigger manager")));
	return (TriggerData *) fcinfo->context;
}

TriggerData *
trigger_call_after_row(FunctionCallInfo fcinfo, TriggerEvent event)
{
	TriggerData *trigger = trigger_call(fcinfo);
	TriggerEvent fired = trigger->tg_event;

	if (!TRIGGER_FIRED_AFTER(fired) || !TRIGGER_FIRED_FOR_ROW(fired) ||
		(event != TRIGGER_EVENT_ANY_ROW &&
		 (fired & TRIGGER_EVENT_OPMASK) != event))
		ereport(
			ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg("function must be fired AFTER ROW for its own event"),
			 errhint(
				 "Triggers of ordcancel are created by ordcancel.attach() and ordcancel.attach_child().")));
	return trigger;
}
