/*
 * pinned_values.c — the results of a pinned query as plain expressions
 */
#include "postgres.h"

#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "optimizer/optimizer.h"

#include "config/expression.h"
#include "config/pinned_values.h"

/* The positions of the two sources in the range table. */
typedef struct Sources
{
	int row;
	int record;
} Sources;

static bool
set_sources(Node *node, void *arg)
{
	const Sources *sources = arg;

	if (node == NULL)
		return false;
	if (IsA(node, Var))
	{
		Var *var = (Var *) node;

		var->varno = var->varno == sources->row ? OUTER_VAR : INNER_VAR;
		return false;
	}
	return expression_tree_walker(node, set_sources, arg);
}

static bool
has_domain(Node *node, void *arg)
{
	if (node == NULL)
		return false;
	if (IsA(node, CoerceToDomain))
		return true;
	return expression_tree_walker(node, has_domain, arg);
}

static Sources
find_sources(const Query *query)
{
	Sources	  sources = {0, 0};
	ListCell *lc;

	foreach(lc, query->rtable)
	{
		const char *name = lfirst_node(RangeTblEntry, lc)->eref->aliasname;

		if (strcmp(name, PINNED_ROW) == 0)
			sources.row = foreach_current_index(lc) + 1;
		else if (strcmp(name, PINNED_RECORD) == 0)
			sources.record = foreach_current_index(lc) + 1;
	}
	return sources;
}

List *
pinned_values_of(const Query *query, bool *immutable)
{
	List	 *values = NIL;
	Sources	  sources = find_sources(query);
	ListCell *lc;

	*immutable = true;
	if (query->hasSubLinks || query->hasAggs || query->hasWindowFuncs ||
		query->hasTargetSRFs || expression_functions((Node *) query) != NIL ||
		sources.row == 0)
		return NIL;
	foreach(lc, query->targetList)
	{
		Expr *value = copyObject(lfirst_node(TargetEntry, lc)->expr);

		/*
		 * Planning leaves out a domain that has no constraints.  A query is
		 * planned again when it gets some.
		 */
		if (has_domain((Node *) value, NULL))
			return NIL;
		(void) set_sources((Node *) value, &sources);
		value = expression_planner(value);
		if (contain_mutable_functions((Node *) value))
			*immutable = false;
		values = lappend(values, value);
	}
	return values;
}
