/*
 * pinned_query.c — runs queries made of pinned expressions
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/executor.h"
#include "nodes/nodeFuncs.h"
#include "parser/parser.h"
#include "rewrite/rewriteHandler.h"
#include "tcop/cmdtag.h"
#include "tcop/dest.h"
#include "tcop/tcopprot.h"
#include "utils/memutils.h"
#include "utils/plancache.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/read_snapshot.h"
#include "config/expression.h"
#include "config/pinned_query.h"
#include "config/pinned_values.h"
#include "config/run_as.h"
#include "decision/refusal.h"

struct Pinned
{
	MemoryContext	  context; /* for everything but the source */
	CachedPlanSource *source;
	Bitmapset		 *columns; /* see PinnedValue */
	PlannedStmt		 *plan;	   /* NULL: not planned yet, or cannot be kept */
	bool			  replan;  /* a plan cannot be kept */
	List			 *values;  /* see pinned_values(); NIL: none */
	bool			  values_known;
	bool			  values_immutable;
};

/* Passes the rows of the result to the callback. */
typedef struct RowReceiver
{
	DestReceiver  pub;
	PinnedRow	  row;
	void		 *arg;
	MemoryContext context;
} RowReceiver;

/*
 * Refuses functions that the expression did not call when it was set.  Someone
 * who may create functions in the schema of one of them may have created one
 * with better matching argument types.
 */
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
					 "it would call %s, which it did not call when it was set",
					 (char *) lfirst(lc))));
}

static CachedPlanSource *
parse(const PinnedQuery *q, void *arg)
{
	RawStmt			 *raw = linitial_node(RawStmt,
										  raw_parser(q->sql, RAW_PARSE_DEFAULT));
	Oid				  type = q->type;
	CachedPlanSource *source = CreateCachedPlan(raw, q->sql, CMDTAG_SELECT);
	List  *queries = pg_analyze_and_rewrite_fixedparams(raw, q->sql, &type, 1,
														NULL);
	Query *query = linitial_node(Query, queries);

	if (q->prepare)
		q->prepare(query, arg);

	/* A function may have been replaced by a set-returning one. */
	if (query->hasTargetSRFs)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("set-returning functions are not allowed")));
	check_functions(query, q->functions);
	CompleteCachedPlan(source, queries, NULL, &type, 1, NULL, NULL, 0, true);
	SaveCachedPlan(source);
	return source;
}

/* The columns that a query reads of PINNED_ROW. */
typedef struct RowColumns
{
	int		   source; /* the position of PINNED_ROW in the range table */
	Index	   level;  /* current depth of subqueries */
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

		if (var->varlevelsup == found->level && var->varno == found->source)
			found->columns = bms_add_member(found->columns,
											Max(var->varattno, 0));
		return false;
	}
	return expression_tree_walker(node, collect_columns, found);
}

static Bitmapset *
columns_of(Query *query)
{
	RowColumns found = {.source = 1};
	ListCell  *lc;

	foreach(lc, query->rtable)
		if (strcmp(lfirst_node(RangeTblEntry, lc)->eref->aliasname,
				   PINNED_ROW) == 0)
			found.source = foreach_current_index(lc) + 1;
	(void) query_tree_walker(query, collect_columns, &found, 0);
	return found.columns;
}

/* The plan may be running further up the call stack. */
void
pinned_forget(Pinned **pinned)
{
	Pinned *old = *pinned;

	*pinned = NULL;
	if (old == NULL)
		return;
	DropCachedPlan(old->source);
	if (IsTransactionState())
		MemoryContextSetParent(old->context, TopTransactionContext);
	else
		MemoryContextDelete(old->context);
}

const Bitmapset *
pinned_columns(Pinned *pinned)
{
	return pinned && CachedPlanIsValid(pinned->source) ? pinned->columns :
														 NULL;
}

static Pinned *
pin(const PinnedQuery *q, void *arg)
{
	CachedPlanSource *source = parse(q, arg);
	MemoryContext	  context = AllocSetContextCreate(CacheMemoryContext,
													  "ordcancel expressions",
													  ALLOCSET_SMALL_SIZES);
	Pinned			 *pinned = MemoryContextAllocZero(context, sizeof(Pinned));
	MemoryContext	  caller = MemoryContextSwitchTo(context);

	pinned->context = context;
	pinned->source = source;
	pinned->columns = columns_of(linitial_node(Query, source->query_list));
	MemoryContextSwitchTo(caller);
	return pinned;
}

/* The parsed query, with locks on all relations that it names. */
static Query *
locked_query(Pinned **pinned, const PinnedQuery *q, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	Query *volatile query = NULL;
	int nest = safe_search_path_begin();

	PG_TRY();
	{
		do
		{
			if (*pinned && !CachedPlanIsValid((*pinned)->source))
				pinned_forget(pinned);
			if (*pinned == NULL)
				*pinned = pin(q, arg);
			MemoryContextSwitchTo(caller);
			query = copyObject(
				linitial_node(Query, (*pinned)->source->query_list));
			AcquireRewriteLocks(query, true, false);
		} while (!CachedPlanIsValid((*pinned)->source));
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(
			caller, q->complaint,
			"Set it again with ordcancel.add_block(), ordcancel.also_set(), "
			"ordcancel.attach(), ordcancel.attach_items() or ordcancel.attach_child().");
	}
	PG_END_TRY();
	safe_search_path_end(nest);
	return query;
}

/*
 * Is the plan valid as long as the parsed query is?  It must not read tables,
 * which would have to be locked again, and must not call functions outside
 * pg_catalog: inlined bodies and precalculated results of such functions make
 * a plan depend on more than the query does.
 */
static bool
can_be_kept(Query *query, const PlannedStmt *plan)
{
	return plan->relationOids == NIL && plan->invalItems == NIL &&
		!plan->transientPlan && !plan->dependsOnRole &&
		expression_functions((Node *) query) == NIL;
}

/* A generic plan, made once and kept; NULL if it cannot be kept. */
static PlannedStmt *
kept_plan(Pinned *pinned, Query *query, const char *sql)
{
	PlannedStmt	 *plan;
	MemoryContext caller;

	if (pinned->plan || pinned->replan)
		return pinned->plan;
	plan = plan_query(copyObject(query), sql, NULL);
	if (!can_be_kept(query, plan))
	{
		pinned->replan = true;
		return NULL;
	}
	caller = MemoryContextSwitchTo(pinned->context);
	pinned->plan = copyObject(plan);
	MemoryContextSwitchTo(caller);
	return pinned->plan;
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

List *
pinned_values(Pinned **pinned, const PinnedQuery *q, bool *immutable,
			  void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context;
	Pinned		 *p = *pinned;

	if (p == NULL || !CachedPlanIsValid(p->source) || !p->values_known)
	{
		context = AllocSetContextCreate(caller, "ordcancel query",
										ALLOCSET_DEFAULT_SIZES);
		MemoryContextSwitchTo(context);
		read_snapshot_push(READ_LATEST);
		(void) locked_query(pinned, q, arg);
		PopActiveSnapshot();
		p = *pinned;
		MemoryContextSwitchTo(p->context);
		p->values = pinned_values_of(linitial_node(Query,
												   p->source->query_list),
									 &p->values_immutable);
		p->values_known = true;
		MemoryContextSwitchTo(caller);
		MemoryContextDelete(context);
	}
	*immutable = p->values_immutable;
	return p->values;
}

void
pinned_run(Pinned **pinned, const char *sql, const char *functions, Oid type,
		   PinnedValue value, ReadSnapshot snapshot, const char *complaint,
		   PinnedRow row, void *arg)
{
	PinnedQuery q = {sql, functions, type, complaint, NULL};

	pinned_run_query(pinned, &q, value, snapshot, row, arg);
}

void
pinned_run_query(Pinned **pinned, const PinnedQuery *q, PinnedValue value,
				 ReadSnapshot snapshot, PinnedRow row, void *arg)
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
	Query		 *query = NULL;
	PlannedStmt	 *plan = NULL;
	Bitmapset	 *columns;
	bool		  more = true;

	MemoryContextSwitchTo(context);
	read_snapshot_push(snapshot); /* parsing may need a snapshot, too */
	if (*pinned && CachedPlanIsValid((*pinned)->source))
		plan = (*pinned)->plan;
	if (plan == NULL)
	{
		query = locked_query(pinned, q, arg);
		plan = kept_plan(*pinned, query, q->sql);
	}
	columns = bms_copy((*pinned)->columns);
	MemoryContextSwitchTo(run);
	while (more)
	{
		ParamListInfo parameters = makeParamList(1);

		parameters->params[0] = (ParamExternData){value(columns, &more, arg),
												  false, PARAM_FLAG_CONST,
												  q->type};
		execute(plan ? plan :
					   plan_query(copyObject(query), q->sql, parameters),
				q->sql, parameters, &receiver);
		MemoryContextReset(run);
	}
	PopActiveSnapshot();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
}
