/*
 * expression.c — checks SQL expressions that users pass as text
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
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
#include "utils/regproc.h"
#include "utils/rel.h"
#include "utils/ruleutils.h"

#include "base/stable_settings.h"
#include "base/text.h"
#include "catalog/pg_type.h"
#include "config/config_table.h"
#include "config/expression.h"
#include "config/run_as.h"

bool
expression_is_one(const char *text)
{
	List	   *statements;
	SelectStmt *select;

	/* Without parentheses too, to refuse texts like "a) OR (b" and "a, b". */
	statements = raw_parser(psprintf("SELECT %s\n", text), RAW_PARSE_DEFAULT);
	if (list_length(statements) != 1)
		return false;
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	if (!IsA(select, SelectStmt) || list_length(select->targetList) > 1)
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
 * Refuses system columns, which the row passed as a parameter does not have,
 * and temporary tables, which belong to the session of the caller.  "level" is
 * the current depth of subqueries.
 */
static bool
check_references(Node *node, void *level)
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
		return query_tree_walker((Query *) node, check_references, &below, 0);
	}
	if (IsA(node, Var) && ((Var *) node)->varattno < 0 &&
		((Var *) node)->varlevelsup >= *(Index *) level)
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("system columns are not available")));
	return expression_tree_walker(node, check_references, level);
}

bool
expression_calls(List *functions, const char *signature)
{
	ListCell *lc;

	foreach(lc, functions)
		if (strcmp(lfirst(lc), signature) == 0)
			return true;
	return false;
}

static bool
add_function(Oid function, void *context)
{
	List **functions = context;
	char  *signature;

	if (get_func_namespace(function) == PG_CATALOG_NAMESPACE)
		return false;
	signature = format_procedure_qualified(function);
	if (!expression_calls(*functions, signature))
		*functions = lappend(*functions, signature);
	return false;
}

static bool
collect_functions(Node *node, void *context)
{
	if (node == NULL)
		return false;
	(void) check_functions_in_node(node, add_function, context);
	if (IsA(node, Query))
		return query_tree_walker((Query *) node, collect_functions, context,
								 0);
	return expression_tree_walker(node, collect_functions, context);
}

List *
expression_functions(Node *node)
{
	List *functions = NIL;

	(void) collect_functions(node, &functions);
	return functions;
}

char *
expression_functions_text(Node *node)
{
	StringInfoData text;
	List		  *functions = expression_functions(node);

	initStringInfo(&text);
	for (int i = 0; i < list_length(functions); i++)
		appendStringInfo(&text, "%s%s", text.len ? "\n" : "",
						 (char *) list_nth(functions, i));
	return text.data;
}

List *
expression_functions_of(const char *text)
{
	List *functions = NIL;
	char *rest = pstrdup(text);

	for (char *line = strsep(&rest, "\n"); line; line = strsep(&rest, "\n"))
		if (line[0] != '\0')
			functions = lappend(functions, line);
	return functions;
}

static bool
collect_columns(Node *node, void *context)
{
	List	 **columns = context;
	ColumnRef *ref = (ColumnRef *) node;
	char	  *name = NULL;
	ListCell  *lc;

	if (node == NULL)
		return false;
	if (!IsA(node, ColumnRef))
		return raw_expression_tree_walker(node, collect_columns, context);
	if (!IsA(linitial(ref->fields), String) ||
		strcmp(strVal(linitial(ref->fields)), PINNED_ROW) != 0)
		return false;
	if (list_length(ref->fields) > 1 && IsA(lsecond(ref->fields), String))
		name = strVal(lsecond(ref->fields));
	foreach(lc, *columns)
		if (equal_or_both_null(lfirst(lc), name))
			return false;
	*columns = lappend(*columns, name);
	return false;
}

List *
expression_columns(const char *pinned)
{
	List *statements = raw_parser(psprintf("SELECT (%s\n)", pinned),
								  RAW_PARSE_DEFAULT);
	List *columns = NIL;

	(void) collect_columns(linitial_node(RawStmt, statements)->stmt, &columns);
	return columns;
}

static void
add_relation(ParseState *pstate, Relation rel, const char *name,
			 bool unqualified)
{
	addNSItemToQuery(pstate,
					 addRangeTableEntryForRelation(pstate, rel,
												   AccessShareLock,
												   makeAlias(name, NIL), false,
												   true),
					 false, true, unqualified);
}

/*
 * The record is one query level up: deparse_expression() knows a single
 * relation for each level.
 */
static ParseState *
parse_state_of_record(Relation record)
{
	ParseState *pstate;

	if (record == NULL)
		return NULL;
	pstate = make_parsestate(NULL);
	pstate->p_expr_kind = EXPR_KIND_WHERE; /* aggregates are refused */
	add_relation(pstate, record, PINNED_RECORD, false);
	return pstate;
}

static Node *
analyze(const char *name, Relation rel, Relation record, const char *text,
		Oid type)
{
	char	*sql = psprintf("SELECT (%s\n)", text);
	RawStmt *raw = linitial_node(RawStmt, raw_parser(sql, RAW_PARSE_DEFAULT));
	SelectStmt *select = (SelectStmt *) raw->stmt;
	ParseState *outer = parse_state_of_record(record);
	ParseState *pstate = make_parsestate(outer);
	Index		level = 0;
	Node	   *node;
	Node	   *value;

	pstate->p_sourcetext = sql;
	add_relation(pstate, rel, name, true);
	node = transformExpr(pstate,
						 linitial_node(ResTarget, select->targetList)->val,
						 EXPR_KIND_WHERE);
	if (!OidIsValid(type))
		type = exprType(node) == UNKNOWNOID ? TEXTOID : exprType(node);
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
	(void) check_references(value, &level);
	free_parsestate(pstate);
	if (outer)
		free_parsestate(outer);
	return value;
}

static bool
same_functions(Node *a, Node *b)
{
	List	 *a_functions = expression_functions(a);
	List	 *b_functions = expression_functions(b);
	ListCell *lc;

	foreach(lc, b_functions)
		if (!expression_calls(a_functions, lfirst(lc)))
			return false;
	return list_length(a_functions) == list_length(b_functions);
}

/* Analyzes the pinned text as it will be when it is run. */
static Node *
analyze_pinned(Relation rel, Relation record, const char *text, Oid type)
{
	int	  nest = safe_search_path_begin();
	Node *node = analyze(PINNED_ROW, rel, record, text, type);

	safe_search_path_end(nest);
	return node;
}

static char *
deparse_pinned(Node *node, Relation rel, Relation record)
{
	List *context = deparse_context_for(PINNED_ROW, RelationGetRelid(rel));
	int	  nest = safe_search_path_begin();
	char *text;

	if (record)
		context = list_concat(context,
							  deparse_context_for(PINNED_RECORD,
												  RelationGetRelid(record)));
	text = deparse_expression(node, context, true, true);
	safe_search_path_end(nest);
	return text;
}

static char *
pin(const char *time_zone, Relation rel, Relation record, const char *text,
	Oid type, char **functions)
{
	const char *name = RelationGetRelationName(rel);
	Node	   *node;
	char	   *pinned;
	int			settings;

	if (!expression_is_one(text))
		ereport(ERROR,
				(errcode(ERRCODE_SYNTAX_ERROR),
				 OidIsValid(type) ?
					 errmsg("it must be a single expression of type %s",
							format_type_be(type)) :
					 errmsg("it must be a single expression")));
	/* The columns of an order table of that name need no qualification. */
	if (record && strcmp(name, PINNED_RECORD) == 0)
		name = PINNED_ROW;
	node = analyze(name, rel, record, text, type);
	*functions = expression_functions_text(node);

	/* Literals were read with the session's settings; write them with ours. */
	settings = stable_settings_begin(time_zone);
	pinned = deparse_pinned(node, rel, record);
	if (!same_functions(node, analyze_pinned(rel, record, pinned, type)))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg(
					 "it uses an operator that cannot be schema-qualified")));
	stable_settings_end(settings);
	return pinned;
}

char *
expression_pin(const char *time_zone, Oid relid, const char *text, Oid type,
			   char **functions)
{
	Relation rel = table_open(relid, AccessShareLock);
	char	*pinned = pin(time_zone, rel, NULL, text, type, functions);

	table_close(rel, NoLock);
	return pinned;
}

char *
expression_pin_with_record(const OrderTable *table, const char *text, Oid type,
						   char **functions)
{
	Relation rel = table_open(table->relid, AccessShareLock);
	Relation record = table_open(config_relation("cancellation"),
								 AccessShareLock);
	char *pinned = pin(table->time_zone, rel, record, text, type, functions);

	table_close(record, NoLock);
	table_close(rel, NoLock);
	return pinned;
}

List *
expression_types(Oid relid, const char *pinned)
{
	Relation  rel = table_open(relid, AccessShareLock);
	Node	 *node = analyze_pinned(rel, NULL, pinned, InvalidOid);
	List	 *types = NIL;
	ListCell *lc;

	table_close(rel, NoLock);
	if (!IsA(node, RowExpr))
		return list_make1_oid(exprType(node));
	foreach(lc, ((RowExpr *) node)->args)
		types = lappend_oid(types, exprType(lfirst(lc)));
	return types;
}
