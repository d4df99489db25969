/*
 * timeline.c — timeline: the history of one order
 *
 * The order's cancellations are found here, by the values of the key.  As text in
 * a query that runs as the extension's owner, the key could run code of the
 * table's owner: checks of a domain inside an array or a row.
 */
#include "postgres.h"

#include "fmgr.h"
#include "utils/builtins.h"

#include "entry/args.h"
#include "entry/setup_gate.h"
#include "rows/record.h"

PG_FUNCTION_INFO_V1(ordcancel_timeline);

/* (orders, order_id) */
Datum
ordcancel_timeline(PG_FUNCTION_ARGS)
{
	CancelTarget c = {0};

	setup_gate_check_row_reader(fcinfo);
	c.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	args_key(&c, fcinfo, 1);

	fcinfo->args[1].value = CStringGetTextDatum(
		record_numbers(c.table, c.key));
	fcinfo->args[1].isnull = false;
	return setup_gate_call(fcinfo);
}
