/*
 * timeline.c — timeline: the history of one order
 *
 * The key is read here, as the caller, because that may run code of the
 * table's owner.  The PL/pgSQL function that runs as the extension's owner gets
 * it as a condition over the record table.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "entry/args.h"
#include "entry/setup_gate.h"
#include "rows/order_key.h"

PG_FUNCTION_INFO_V1(ordcancel_timeline);

/* (orders, order_id) */
Datum
ordcancel_timeline(PG_FUNCTION_ARGS)
{
	CancelTarget   c = {0};
	StringInfoData condition;

	setup_gate_check_row_reader(fcinfo);
	c.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	args_key(&c, fcinfo, 1);
	initStringInfo(&condition);
	order_key_condition(&condition, c.table, "r", c.table->record_keys, c.key);

	fcinfo->args[1].value = CStringGetTextDatum(condition.data);
	fcinfo->args[1].isnull = false;
	return setup_gate_call(fcinfo);
}
