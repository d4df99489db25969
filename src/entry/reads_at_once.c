/*
 * reads_at_once.c — whether a view over all record tables reads them in one scan
 *
 * A scan of the parents leads to the rows by indexes, but PostgreSQL locks each
 * record table and its indexes until the transaction ends.  The lock table of
 * default settings is full after some 400 tables of both kinds.  So with many
 * tables a view reads one after the other, as apart_records() in SQL does.  So it
 * does if somebody else owns one, which apart_records() leaves out.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "nodes/makefuncs.h"
#include "nodes/pathnodes.h"
#include "nodes/supportnodes.h"
#include "storage/lock.h"

#include "config/config_table.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_reads_at_once);
PG_FUNCTION_INFO_V1(ordcancel_reads_at_once_support);

/* Tables of cancellations, with archives, for each of max_locks_per_transaction. */
#define TABLES_PER_LOCK_SETTING 4

static bool
are_few(void)
{
	Oid cancellations = config_relation("cancellation");
	Oid events = config_relation("event");
	int limit = TABLES_PER_LOCK_SETTING * max_locks_per_xact;

	/*
	 * Looking for archives takes longer than looking for record tables.  A scan
	 * of a table that another role owns would run its code as the reader.
	 */
	return OidIsValid(cancellations) && OidIsValid(events) &&
		list_length(find_inheritance_children(cancellations, NoLock)) <=
		limit &&
		list_length(find_all_inheritors(cancellations, NoLock, NULL)) <=
		limit &&
		!OidIsValid(record_find_foreign(cancellations)) &&
		!OidIsValid(record_find_foreign(events));
}

/*
 * The planner replaces each call by a constant, so that what is not read is not
 * even planned.  All calls in a query must give the same answer, else records
 * would be shown twice.
 */
static bool
answer_for(const PlannerInfo *root)
{
	static const PlannerGlobal *query = NULL;
	static TimestampTz			statement = 0;
	static bool					answer;

	if (query != root->glob ||
		statement != GetCurrentStatementStartTimestamp())
	{
		answer = are_few();
		query = root->glob;
		statement = GetCurrentStatementStartTimestamp();
	}
	return answer;
}

Datum
ordcancel_reads_at_once(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(are_few());
}

Datum
ordcancel_reads_at_once_support(PG_FUNCTION_ARGS)
{
	Node				   *request = (Node *) PG_GETARG_POINTER(0);
	SupportRequestSimplify *simplify = (SupportRequestSimplify *) request;

	if (!IsA(request, SupportRequestSimplify) || simplify->root == NULL)
		PG_RETURN_POINTER(NULL);
	PG_RETURN_POINTER(makeBoolConst(answer_for(simplify->root), false));
}
