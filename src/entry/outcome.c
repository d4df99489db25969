/*
 * outcome.c — the result of the functions that act on one order
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/result_row.h"
#include "config/config_table.h"
#include "entry/outcome.h"

/* The columns of type ordcancel.outcome. */
enum
{
	OUTCOME_ORDERS,
	OUTCOME_ORDER_ID,
	OUTCOME_CANCELLATION_ID,
	OUTCOME_STATE,
	OUTCOME_ORDER_STATUS,
	OUTCOME_CHANGED,
	OUTCOME_REFUND_DUE,
	OUTCOME_REFUNDED,
	OUTCOME_REQUESTED_AT,
	OUTCOME_DECIDED_AT,
	OUTCOME_CLOSED_AT,
};

static const ResultColumn outcome_columns[] = {
	[OUTCOME_ORDERS] = {"orders", REGCLASSOID},
	[OUTCOME_ORDER_ID] = {"order_id", TEXTOID},
	[OUTCOME_CANCELLATION_ID] = {"cancellation_id", INT8OID},
	[OUTCOME_STATE] = {"state", TEXTOID},
	[OUTCOME_ORDER_STATUS] = {"order_status", TEXTOID},
	[OUTCOME_CHANGED] = {"changed", BOOLOID},
	[OUTCOME_REFUND_DUE] = {"refund_due", NUMERICOID},
	[OUTCOME_REFUNDED] = {"refunded", NUMERICOID},
	[OUTCOME_REQUESTED_AT] = {"requested_at", TIMESTAMPTZOID},
	[OUTCOME_DECIDED_AT] = {"decided_at", TIMESTAMPTZOID},
	[OUTCOME_CLOSED_AT] = {"closed_at", TIMESTAMPTZOID},
};

Datum
outcome_datum(FunctionCallInfo fcinfo, const CancelTarget *c, const Outcome *o)
{
	TupleDesc desc;
	ResultRow row;

	/* A user's trigger may have dropped the extension. */
	if (!SearchSysCacheExists1(PROCOID,
							   ObjectIdGetDatum(fcinfo->flinfo->fn_oid)))
		config_raise_dropped();
	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function must return type ordcancel.outcome");
	result_row_begin(&row, desc, outcome_columns, lengthof(outcome_columns));
	result_row_set(&row, OUTCOME_ORDERS, ObjectIdGetDatum(c->table->logical),
				   false);
	result_row_text(&row, OUTCOME_ORDER_ID, c->key_text);
	result_row_set(&row, OUTCOME_CANCELLATION_ID,
				   Int64GetDatum(o->cancellation_id), !o->has_record);
	result_row_text(&row, OUTCOME_STATE,
					o->state == STATE_NONE ? NULL : state_name(o->state));
	result_row_text(&row, OUTCOME_ORDER_STATUS, o->order_status);
	result_row_bool(&row, OUTCOME_CHANGED, o->changed);
	result_row_numeric(&row, OUTCOME_REFUND_DUE, o->refund_due);
	result_row_numeric(&row, OUTCOME_REFUNDED, o->refunded);
	result_row_time(&row, OUTCOME_REQUESTED_AT, o->requested_at);
	result_row_time(&row, OUTCOME_DECIDED_AT, o->decided_at);
	result_row_time(&row, OUTCOME_CLOSED_AT, o->closed_at);
	return result_row_datum(&row);
}
