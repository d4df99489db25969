/*
 * guard_item.c — the triggers on the table of an order's items
 */
#include "postgres.h"

#include "base/trigger_call.h"

PG_FUNCTION_INFO_V1(ordcancel_guard_item);
PG_FUNCTION_INFO_V1(ordcancel_guard_item_truncate);

Datum
ordcancel_guard_item(PG_FUNCTION_ARGS)
{
	(void) trigger_call_after_row(fcinfo, TRIGGER_EVENT_ANY_ROW);
	return PointerGetDatum(NULL);
}

Datum
ordcancel_guard_item_truncate(PG_FUNCTION_ARGS)
{
	(void) trigger_call(fcinfo);
	return PointerGetDatum(NULL);
}
