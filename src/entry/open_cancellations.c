/*
 * open_cancellations.c — reads open cancellations for the report views
 *
 * A view's functions need privileges of the role that reads the view, so PUBLIC
 * may execute this one.  Without USAGE on its schema nobody can call it by name;
 * and whoever calls it sees only what the role may see.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/syscache.h"
#include "utils/tuplestore.h"

#include "base/result_row.h"
#include "config/order_table.h"
#include "entry/args.h"
#include "rows/record_columns.h"
#include "rows/record_scan.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_open_cancellations);
PG_FUNCTION_INFO_V1(ordcancel_check_cancellations);

typedef struct Report
{
	FunctionCallInfo fcinfo;
	ReturnSetInfo	*result;
	MemoryContext	 context;
	Oid				 orders;
	Oid				 cancellation_table;
	bool			 attached; /* with this cancellation table */
	ResultRow		 row;
} Report;

static void
compare_table(Oid relid, Oid cancellation_table, void *arg)
{
	Report *report = arg;

	report->attached = cancellation_table == report->cancellation_table;
}

static bool
is_visible(Report *report)
{
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(report->orders)) ||
		!visibility_sees_all(report->orders))
		return false;
	order_table_scan(report->orders, compare_table, report);
	return report->attached;
}

static void
begin_result(Report *report)
{
	MemoryContext row_context = MemoryContextSwitchTo(report->context);

	report->result->isDone = ExprSingleResult;
	InitMaterializedSRF(report->fcinfo,
						report->result->expectedDesc ?
							MAT_SRF_USE_EXPECTED_DESC :
							0);
	result_row_begin(&report->row, report->result->setDesc,
					 cancellation_columns, CANCELLATION_COLUMNS);
	MemoryContextSwitchTo(row_context);
}

/*
 * Most tables have no open cancellation, so the role's privileges are looked up
 * only when there is a row.
 */
static bool
put_row(const Datum *values, const bool *nulls, void *arg)
{
	Report *report = arg;

	if (report->result->setResult == NULL)
	{
		if (!is_visible(report))
			return false;
		begin_result(report);
	}
	for (int i = 0; i < CANCELLATION_COLUMNS; i++)
		result_row_set(&report->row, i, values[i], nulls[i]);
	tuplestore_putvalues(report->result->setResult, report->row.desc,
						 report->row.values, report->row.nulls);
	return true;
}

/*
 * (orders, cancellation_table, state): no rows if the records cannot be read,
 * so that a report on all tables does not fail because of one.
 */
Datum
ordcancel_open_cancellations(PG_FUNCTION_ARGS)
{
	Report report = {.fcinfo = fcinfo,
					 .result = (ReturnSetInfo *) fcinfo->resultinfo,
					 .context = CurrentMemoryContext,
					 .orders = PG_GETARG_OID(0),
					 .cancellation_table = PG_GETARG_OID(1)};
	State  state;

	/* Without a row, there is no need for a tuplestore. */
	report.result->isDone = ExprEndResult;
	if (state_from_name(args_text(fcinfo, 2), &state))
		record_scan(report.cancellation_table, state, READ_CALLER, put_row,
					&report);
	PG_RETURN_NULL();
}

/* (cancellation_table): raises OC014 if the records cannot be read. */
Datum
ordcancel_check_cancellations(PG_FUNCTION_ARGS)
{
	record_scan_check(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}
