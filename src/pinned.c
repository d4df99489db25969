/*
 * pinned.c — queries whose names cannot come to mean something else
 */
#include "postgres.h"

#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "as_owner.h"
#include "compat.h"
#include "expression.h"
#include "pinned.h"
#include "refusal.h"

/* Hands the rows of a result on. */
typedef struct RowReceiver
{
	DestReceiver  pub;
	PinnedRow	  row;
	void		 *arg;
	MemoryContext context;
} RowReceiver;

/* Whoever may create functions there may have made one that fits better. */
static void
check_functions(Query *query, const char *functions)
{
	List	 *allowed = expression_functions_of(functions ? functions : "");
	ListCell *lc;

	foreach(lc, expression_functions((Node *) query))
		if (!expression_calls(allowed, lfirst(lc)))
			ereport(
				ERROR,
				(errcode(ERRCODE_AMBIGUOUS_FUNCTION),
				 errmsg(
					 "it would call %s, which is not what it called when it was set",
					 (char *) lfirst(lc))));
}

static CachedPlanSource *
read_text(const char *sql, const char *functions, Oid type)
{
	RawStmt *raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
	CachedPlanSource *source = CreateCachedPlan(raw, sql, CMDTAG_SELECT);
	List  *queries = pg_analyze_and_rewrite_fixedparams(raw, sql, &type, 1,
														NULL);
	Query *query = linitial_node(Query, queries);

	/* A function that was made anew may have become one. */
	if (query->hasTargetSRFs)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-returning functions are not allowed")));
	check_functions(query, functions);
	CompleteCachedPlan(source, queries, NULL, &type, 1, NULL, NULL, 0, true);
	SaveCachedPlan(source);
	return source;
}

/* What the text says, with locks on all that it names. */
static Query *
locked_query(CachedPlanSource **source, const char *sql, const char *functions,
			 Oid type, const char *complaint)
{
	MemoryContext caller = CurrentMemoryContext;
	Query *volatile query = NULL;
	int nest = pinned_path_enter();

	PG_TRY();
	{
		do
		{
			if (*source && !CachedPlanIsValid(*source))
			{
				DropCachedPlan(*source);
				*source = NULL;
			}
			if (*source == NULL)
				*source = read_text(sql, functions, type);
			MemoryContextSwitchTo(caller);
			query = copyObject(linitial_node(Query, (*source)->query_list));
			AcquireRewriteLocks(query, true, false);
		} while (!CachedPlanIsValid(*source));
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(
			caller, complaint,
			"Set it anew by ordcancel.add_block(), or for refund_due by ordcancel.attach().");
	}
	PG_END_TRY();
	pinned_path_leave(nest);
	return query;
}

static bool
receive_row(TupleTableSlot *slot, DestReceiver *self)
{
	RowReceiver	 *receiver = (RowReceiver *) self;
	MemoryContext executor = MemoryContextSwitchTo(receiver->context);

	receiver->row(slot, receiver->arg);
	MemoryContextSwitchTo(executor);
	return true;
}

static void
receiver_start(DestReceiver *self, int operation, TupleDesc desc)
{
}

static void
receiver_end(DestReceiver *self)
{
}

static void
execute(PlannedStmt *plan, const char *sql, ParamListInfo parameters,
		RowReceiver *receiver)
{
	QueryDesc *query = CreateQueryDesc(plan, sql, GetActiveSnapshot(),
									   InvalidSnapshot, &receiver->pub,
									   parameters, NULL, 0);

	ExecutorStart(query, 0);
	run_executor(query);
	ExecutorFinish(query);
	ExecutorEnd(query);
	FreeQueryDesc(query);
}

/* What a query reads of the rows that it is from; it has no other table. */
typedef struct RowColumns
{
	Index	   level; /* of subqueries, where we are */
	Bitmapset *columns;
} RowColumns;

static bool
collect_columns(Node *node, RowColumns *found)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		found->level++;
		(void) query_tree_walker((Query *) node, collect_columns, found, 0);
		found->level--;
		return false;
	}
	if (IsA(node, Var))
	{
		Var *var = (Var *) node;

		if (var->varlevelsup == found->level && var->varno == 1)
			found->columns = bms_add_member(found->columns,
											Max(var->varattno, 0));
		return false;
	}
	return expression_tree_walker(node, collect_columns, found);
}

static Bitmapset *
columns_of(Query *query)
{
	RowColumns found = {0};

	(void) query_tree_walker(query, collect_columns, &found, 0);
	return found.columns;
}

void
pinned_run(CachedPlanSource **source, const char *sql, const char *functions,
		   Oid type, PinnedValue value, Sight sight, const char *complaint,
		   PinnedRow row, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel query",
												  ALLOCSET_DEFAULT_SIZES);
	MemoryContext run = AllocSetContextCreate(context, "ordcancel rows",
											  ALLOCSET_DEFAULT_SIZES);
	RowReceiver	  receiver = {{receive_row, receiver_start, receiver_end,
							   receiver_end, DestNone},
							  row,
							  arg,
							  caller};
	Query		 *query;
	Bitmapset	 *columns;
	bool		  more = true;

	MemoryContextSwitchTo(context);
	sight_push(sight); /* to read the text needs one, too */
	query = locked_query(source, sql, functions, type, complaint);
	columns = columns_of(query);
	MemoryContextSwitchTo(run);
	while (more)
	{
		ParamListInfo parameters = makeParamList(1);
		Datum		  rows = value(columns, &more, arg);

		parameters->params[0] = (ParamExternData){rows, false,
												  PARAM_FLAG_CONST, type};
		execute(plan_query(more ? copyObject(query) : query, sql, parameters),
				sql, parameters, &receiver);
		MemoryContextReset(run);
	}
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
