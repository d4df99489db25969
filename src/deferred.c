/*
 * deferred.c — deferred triggers of an owner's code fire at once
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/reltrigger.h"

#include "deferred.h"

static ExecutorStart_hook_type	next_start = NULL;
static ProcessUtility_hook_type next_utility = NULL;
static bool						at_once = false;

bool
deferred_at_once(bool now)
{
	bool before = at_once;

	at_once = now;
	return before;
}

static bool
fires_at_once(void)
{
	return at_once && InSecurityRestrictedOperation();
}

/* The trigger descriptor is the statement's own copy. */
void
deferred_fire_at_once(ResultRelInfo *info)
{
	TriggerDesc *triggers = info->ri_TrigDesc;

	if (!fires_at_once())
		return;
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		triggers->triggers[i].tgdeferrable = triggers->triggers[i]
												 .tginitdeferred = false;
}

/*
 * Relations that a statement opens later (partitions that rows are routed to)
 * keep their triggers, and PostgreSQL refuses to defer those.
 */
static void
start_statement(QueryDesc *query, int flags)
{
	List *relations;

	if (next_start)
		next_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	if (!fires_at_once())
		return;
	relations = query->estate->es_opened_result_relations;
	for (int i = 0; i < list_length(relations); i++)
		deferred_fire_at_once(list_nth(relations, i));
}

static bool
makes_temporary_function(Node *statement)
{
	char *name;

	return IsA(statement, CreateFunctionStmt) &&
		isTempNamespace(QualifiedNameGetCreationNamespace(
			((CreateFunctionStmt *) statement)->funcname, &name));
}

static void
run_utility(PlannedStmt *statement, const char *text, bool read_only_tree,
			ProcessUtilityContext context, ParamListInfo parameters,
			QueryEnvironment *environment, DestReceiver *dest,
			QueryCompletion *completion)
{
	if (fires_at_once())
	{
		if (IsA(statement->utilityStmt, ConstraintsSetStmt))
			return;
		if (makes_temporary_function(statement->utilityStmt))
			ereport(
				ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg(
					 "cannot create temporary function within security-restricted operation")));
	}
	if (next_utility)
		next_utility(statement, text, read_only_tree, context, parameters,
					 environment, dest, completion);
	else
		standard_ProcessUtility(statement, text, read_only_tree, context,
								parameters, environment, dest, completion);
}

void
deferred_init(void)
{
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start_statement;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
}
