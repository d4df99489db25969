/*
 * immediate_triggers.c — makes deferrable triggers fire immediately
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/memutils.h"
#include "utils/reltrigger.h"

#include "base/immediate_triggers.h"

static ExecutorStart_hook_type	next_start = NULL;
static ProcessUtility_hook_type next_utility = NULL;

/* The open scopes, innermost first. */
typedef struct Scope
{
	bool			 immediate;
	SubTransactionId subid;
	struct Scope	*outer;
} Scope;

static Scope *scope = NULL;

void
immediate_triggers_begin(bool immediate)
{
	Scope *inner = MemoryContextAlloc(TopTransactionContext, sizeof(Scope));

	inner->immediate = immediate;
	inner->subid = GetCurrentSubTransactionId();
	inner->outer = scope;
	scope = inner;
}

void
immediate_triggers_end(void)
{
	Scope *inner = scope;

	scope = inner->outer;
	pfree(inner);
}

static void
end_subtransaction(SubXactEvent event, SubTransactionId subid,
				   SubTransactionId parent, void *arg)
{
	if (event == SUBXACT_EVENT_ABORT_SUB)
		while (scope && scope->subid >= subid)
			immediate_triggers_end();
}

/* The scopes are freed with TopTransactionContext. */
static void
end_transaction(XactEvent event, void *arg)
{
	if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT ||
		event == XACT_EVENT_PREPARE)
		scope = NULL;
}

static bool
fires_immediately(void)
{
	return scope && scope->immediate && InSecurityRestrictedOperation();
}

/* ri_TrigDesc is this statement's own copy, so it can be changed. */
void
immediate_triggers_apply(ResultRelInfo *info)
{
	TriggerDesc *triggers = info->ri_TrigDesc;

	if (!fires_immediately())
		return;
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		triggers->triggers[i].tgdeferrable = triggers->triggers[i]
												 .tginitdeferred = false;
}

/*
 * Partitions that the statement opens later, when it routes rows to them, are
 * not changed here.  PostgreSQL refuses to defer their triggers.
 */
static void
start_statement(QueryDesc *query, int flags)
{
	List *relations;

	if (next_start)
		next_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	if (!fires_immediately())
		return;
	relations = query->estate->es_opened_result_relations;
	for (int i = 0; i < list_length(relations); i++)
		immediate_triggers_apply(list_nth(relations, i));
}

static bool
creates_temporary(List *name)
{
	char *object;

	return isTempNamespace(QualifiedNameGetCreationNamespace(name, &object));
}

/*
 * Is this one of the commands that the header names?  An object in the
 * temporary schema would stay in the caller's session, and types are looked up
 * there first.  Not every minor version of PostgreSQL refuses types there.
 */
static bool
is_refused_command(Node *statement)
{
	switch (nodeTag(statement))
	{
		case T_CreateFunctionStmt:
			return creates_temporary(
				((CreateFunctionStmt *) statement)->funcname);
		case T_CreateDomainStmt:
			return creates_temporary(
				((CreateDomainStmt *) statement)->domainname);
		case T_CreateEnumStmt:
			return creates_temporary(((CreateEnumStmt *) statement)->typeName);
		case T_CreateRangeStmt:
			return creates_temporary(
				((CreateRangeStmt *) statement)->typeName);
		case T_CompositeTypeStmt:
			return isTempNamespace(RangeVarGetCreationNamespace(
				((CompositeTypeStmt *) statement)->typevar));
		case T_DefineStmt:
			return creates_temporary(((DefineStmt *) statement)->defnames);
		case T_DropStmt:
			return ((DropStmt *) statement)->removeType == OBJECT_TABLE;
		default:
			return false;
	}
}

static void
run_utility(PlannedStmt *statement, const char *text, bool read_only_tree,
			ProcessUtilityContext context, ParamListInfo parameters,
			QueryEnvironment *environment, DestReceiver *dest,
			QueryCompletion *completion)
{
	if (fires_immediately())
	{
		if (IsA(statement->utilityStmt, ConstraintsSetStmt))
			return;
		if (is_refused_command(statement->utilityStmt))
			ereport(
				ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg(
					 "cannot execute %s within security-restricted operation",
					 GetCommandTagName(
						 CreateCommandTag(statement->utilityStmt)))));
	}
	if (next_utility)
		next_utility(statement, text, read_only_tree, context, parameters,
					 environment, dest, completion);
	else
		standard_ProcessUtility(statement, text, read_only_tree, context,
								parameters, environment, dest, completion);
}

void
immediate_triggers_init(void)
{
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = start_statement;
	next_utility = ProcessUtility_hook;
	ProcessUtility_hook = run_utility;
	RegisterXactCallback(end_transaction, NULL);
	RegisterSubXactCallback(end_subtransaction, NULL);
}
