/*
 * report_records.c — functions over the tableoid of a record, for the reports
 *
 * The views read ordcancel.cancellation and ordcancel.event, the parents of all
 * record tables, so a record's order table and what the reader may see follow
 * from its tableoid.  PostgreSQL runs the functions of a view with the
 * privileges of the role that reads it, so PUBLIC may execute these.  Without
 * USAGE on their schema nobody can call them by name.
 */
#include "postgres.h"

#include "access/sysattr.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"

#include "base/inheritance.h"
#include "config/order_table.h"
#include "entry/report_reader.h"

PG_FUNCTION_INFO_V1(ordcancel_orders_of);
PG_FUNCTION_INFO_V1(ordcancel_may_read);
PG_FUNCTION_INFO_V1(ordcancel_may_see);
PG_FUNCTION_INFO_V1(ordcancel_report_hides_rows);
PG_FUNCTION_INFO_V1(ordcancel_tableoid_support);

/* What one call of a query found out, for the following ones. */
typedef struct RecordSource
{
	Oid			 records; /* InvalidOid: nothing yet */
	Oid			 user;	  /* the current role then */
	ReportReader reader;
} RecordSource;

/* Also of an archive, which inherits from a record table. */
static Oid
orders_of(Oid records)
{
	Oid orders = order_table_of_records(records);
	Oid parent;

	if (OidIsValid(orders))
		return orders;
	parent = inheritance_parent(records);
	return OidIsValid(parent) ? order_table_of_records(parent) : InvalidOid;
}

static RecordSource *
record_source(FunctionCallInfo fcinfo)
{
	RecordSource *source = fcinfo->flinfo->fn_extra;
	Oid			  records = PG_GETARG_OID(0);

	if (source == NULL)
		source = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(
			fcinfo->flinfo->fn_mcxt, sizeof(RecordSource));
	if (source->records != records || source->user != GetUserId())
	{
		source->records = InvalidOid; /* if one of these fails */
		source->reader = report_reader(orders_of(records));
		source->user = GetUserId();
		source->records = records;
	}
	return source;
}

/* (records): the order table, NULL if the table's records belong to none. */
Datum
ordcancel_orders_of(PG_FUNCTION_ARGS)
{
	Oid *known = fcinfo->flinfo->fn_extra; /* records, orders */

	if (known == NULL)
		known = fcinfo->flinfo->fn_extra = MemoryContextAllocZero(
			fcinfo->flinfo->fn_mcxt, 2 * sizeof(Oid));
	if (known[0] != PG_GETARG_OID(0))
	{
		known[1] = orders_of(PG_GETARG_OID(0));
		known[0] = PG_GETARG_OID(0);
	}
	if (!OidIsValid(known[1]))
		PG_RETURN_NULL();
	PG_RETURN_OID(known[1]);
}

/* (records): may the reader see some records of the table? */
Datum
ordcancel_may_read(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(record_source(fcinfo)->reader.access != ORDERS_NONE);
}

/* (records, order_key): may the reader see the records of this order? */
Datum
ordcancel_may_see(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(report_reader_sees(&record_source(fcinfo)->reader,
									  PG_GETARG_DATUM(1)));
}

/* (orders): does row-level security restrict what the reader sees? */
Datum
ordcancel_report_hides_rows(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(report_reader(PG_GETARG_OID(0)).access == ORDERS_BY_ROW);
}

/* The table that a column belongs to, if rows of no other table have it. */
static Oid
only_table_of(const PlannerInfo *root, const Var *var)
{
	const RangeTblEntry *rte;

	if (var->varlevelsup != 0 || root->simple_rte_array == NULL ||
		var->varno >= root->simple_rel_array_size)
		return InvalidOid;
	rte = root->simple_rte_array[var->varno];
	return rte && rte->rtekind == RTE_RELATION && !rte->inh ? rte->relid :
															  InvalidOid;
}

/*
 * The planner support function of those above.  In the scan of one table, its
 * tableoid is a constant.  With that, a condition on the order table, and
 * whether the reader may see the records at all, is decided once for each table
 * and not for each of its rows: tables that do not fit are not scanned.
 */
Datum
ordcancel_tableoid_support(PG_FUNCTION_ARGS)
{
	Node				   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;
	FuncExpr			   *call;
	Var					   *var;
	Oid						relid;

	if (!IsA(request, SupportRequestSimplify) || simplify->root == NULL)
		PG_RETURN_POINTER(NULL);
	var = linitial(simplify->fcall->args);
	if (!IsA(var, Var) || var->varattno != TableOidAttributeNumber)
		PG_RETURN_POINTER(NULL);
	relid = only_table_of(simplify->root, var);
	if (!OidIsValid(relid))
		PG_RETURN_POINTER(NULL);

	call = makeNode(FuncExpr);
	memcpy(call, simplify->fcall, sizeof(FuncExpr));
	call->args = list_copy(simplify->fcall->args);
	linitial(call->args) = makeConst(OIDOID, -1, InvalidOid, sizeof(Oid),
									 ObjectIdGetDatum(relid), false, true);
	PG_RETURN_POINTER(call);
}
