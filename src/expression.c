/*
 * expression.c — SQL expressions that a user gives as text
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "parser/parse_expr.h"
#include "parser/parse_relation.h"
#include "parser/parser.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/ruleutils.h"

#include "as_owner.h"
#include "expression.h"

bool
expression_is_one(const char *text)
{
	List	   *statements;
	SelectStmt *select;

	/* Bare as well, or "a) OR (b" would pass, and change what stands around. */
	if (list_length(
			raw_parser(psprintf("SELECT %s\n", text), RAW_PARSE_DEFAULT)) != 1)
		return false;
	statements = raw_parser(psprintf("SELECT (%s\n)", text),
							RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1)
		return false;
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	return IsA(select, SelectStmt) && list_length(select->targetList) == 1 &&
		linitial_node(ResTarget, select->targetList)->name == NULL &&
		select->op == SETOP_NONE && select->valuesLists == NIL &&
		select->distinctClause == NIL && select->intoClause == NULL &&
		select->fromClause == NIL && select->whereClause == NULL &&
		select->groupClause == NIL && select->havingClause == NULL &&
		select->windowClause == NIL && select->sortClause == NIL &&
		select->limitOffset == NULL && select->limitCount == NULL &&
		select->lockingClause == NIL && select->withClause == NULL;
}

/*
 * Rows are given as values, which have no place in a table.  And a temporary
 * table would be that of whoever calls.
 */
static bool
check_columns(Node *node, void *level)
{
	if (node == NULL)
		return false;
	if (IsA(node, Query))
	{
		Index	  below = *(Index *) level + 1;
		ListCell *lc;

		foreach(lc, ((Query *) node)->rtable)
		{
			RangeTblEntry *rte = lfirst(lc);

			if (rte->rtekind == RTE_RELATION &&
				isAnyTempNamespace(get_rel_namespace(rte->relid)))
				ereport(ERROR,
						(errcode(ERRCODE_INVALID_TABLE_DEFINITION),
						 errmsg("table \"%s\" is temporary",
								get_rel_name(rte->relid))));
		}
		return query_tree_walker((Query *) node, check_columns, &below, 0);
	}
	if (IsA(node, Var) && ((Var *) node)->varattno < 0 &&
		((Var *) node)->varlevelsup == *(Index *) level)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("system columns of the order are not available")));
	return expression_tree_walker(node, check_columns, level);
}

static Node *
analyze(const OrderTable *table, Relation rel, const char *text, Oid type)
{
	char	*sql = psprintf("SELECT (%s\n)", text);
	RawStmt *raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
	SelectStmt *select = (SelectStmt *) raw->stmt;
	ParseState *pstate = make_parsestate(NULL);
	Index		level = 0;
	Node	   *node;
	Node	   *value;

	pstate->p_sourcetext = sql;
	addNSItemToQuery(pstate,
					 addRangeTableEntryForRelation(pstate, rel,
												   AccessShareLock,
												   makeAlias(table->name, NIL),
												   false, true),
					 false, true, true);
	node = transformExpr(pstate,
						 linitial_node(ResTarget, select->targetList)->val,
						 EXPR_KIND_WHERE);
	value = coerce_to_target_type(pstate, node, exprType(node), type, -1,
								  COERCION_ASSIGNMENT, COERCE_IMPLICIT_CAST,
								  -1);
	if (value == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("its type is %s, not %s",
						format_type_be(exprType(node)),
						format_type_be(type))));
	assign_expr_collations(pstate, value);
	(void) check_columns(value, &level);
	free_parsestate(pstate);
	return value;
}

char *
expression_pin(const OrderTable *table, const char *text, Oid type)
{
	Relation rel;
	Node	*node;
	char	*pinned;
	int		 nest;

	if (!expression_is_one(text))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 errmsg("it must be one expression of type %s",
						format_type_be(type))));
	rel = table_open(table->relid, AccessShareLock);
	node = analyze(table, rel, text, type);
	nest = pinned_path_enter();
	pinned = deparse_expression(node,
								deparse_context_for(PINNED_ROW, table->relid),
								true, true);
	pinned_path_leave(nest);
	table_close(rel, NoLock);
	return pinned;
}
