/*
 * open_cancellations.c — reads open cancellations for the report views
 *
 * PostgreSQL runs the functions of a view with the privileges of the role that
 * reads it, so PUBLIC may execute these.  Without USAGE on their schema nobody
 * can call them by name; and they show only what the role may see.
 */
#include "postgres.h"

#include "fmgr.h"
#include "funcapi.h"
#include "utils/tuplestore.h"

#include "base/result_row.h"
#include "config/order_table.h"
#include "config/shard.h"
#include "entry/args.h"
#include "entry/report_reader.h"
#include "rows/open_index.h"
#include "rows/record_columns.h"
#include "rows/record_scan.h"

PG_FUNCTION_INFO_V1(ordcancel_open_cancellations);
PG_FUNCTION_INFO_V1(ordcancel_any_open_cancellations);
PG_FUNCTION_INFO_V1(ordcancel_check_cancellations);

typedef struct Report
{
	FunctionCallInfo fcinfo;
	ReturnSetInfo	*result;
	MemoryContext	 context;
	ReportReader	 reader;
	ResultRow		 row;
} Report;

static void
get_table(Oid relid, Oid cancellation_table, void *arg)
{
	*(Oid *) arg = cancellation_table;
}

/* May the reader see some of them, and are they the table's cancellations? */
static bool
is_visible(const ReportReader *reader, Oid cancellation_table)
{
	Oid attached = InvalidOid;

	if (reader->access == ORDERS_NONE)
		return false;
	order_table_scan(reader->orders, get_table, &attached);
	return attached == cancellation_table;
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

static bool
put_row(const Datum *values, const bool *nulls, void *arg)
{
	Report *report = arg;

	if (nulls[CANCELLATION_ORDER_KEY] ||
		!report_reader_sees(&report->reader, values[CANCELLATION_ORDER_KEY]))
		return true;
	if (report->result->setResult == NULL)
		begin_result(report);
	for (int i = 0; i < CANCELLATION_COLUMNS; i++)
		result_row_set(&report->row, i, values[i], nulls[i]);
	tuplestore_putvalues(report->result->setResult, report->row.desc,
						 report->row.values, report->row.nulls);
	return true;
}

/* Of a distributed table: what is on this node. */
static void
scan(Report *report, Oid cancellation_table, OpenKind kind)
{
	ListCell *lc;

	foreach(lc, shard_relations(cancellation_table))
	{
		record_scan(lfirst_oid(lc), kind, READ_CALLER, put_row, report);
	}
}

/*
 * (orders, cancellation_table, what): no rows if the records cannot be read,
 * so that a report on all tables does not fail because of one.
 */
Datum
ordcancel_open_cancellations(PG_FUNCTION_ARGS)
{
	Report	 report = {.fcinfo = fcinfo,
					   .result = (ReturnSetInfo *) fcinfo->resultinfo,
					   .context = CurrentMemoryContext};
	Oid		 cancellation_table = PG_GETARG_OID(1);
	OpenKind kind;

	/* Without a row, there is no need for a tuplestore. */
	report.result->isDone = ExprEndResult;
	report.reader = report_reader(PG_GETARG_OID(0));
	if (open_kind_from_name(args_text(fcinfo, 2), &kind) &&
		is_visible(&report.reader, cancellation_table))
		scan(&report, cancellation_table, kind);
	PG_RETURN_NULL();
}

/*
 * (orders, cancellation_table, what): false if open_cancellations() returns no
 * rows.  Most tables have nothing open, which takes less time to find out than
 * what the role may see.
 */
Datum
ordcancel_any_open_cancellations(PG_FUNCTION_ARGS)
{
	Oid			 cancellation_table = PG_GETARG_OID(1);
	OpenKind	 kind;
	ReportReader reader;

	if (!open_kind_from_name(args_text(fcinfo, 2), &kind) ||
		(open_index_content(cancellation_table, kind) == OPEN_INDEX_EMPTY &&
		 !shard_is_distributed(cancellation_table)))
		PG_RETURN_BOOL(false);
	reader = report_reader(PG_GETARG_OID(0));
	PG_RETURN_BOOL(is_visible(&reader, cancellation_table));
}

/* (cancellation_table): raises OC014 if the records cannot be read. */
Datum
ordcancel_check_cancellations(PG_FUNCTION_ARGS)
{
	record_scan_check(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}
