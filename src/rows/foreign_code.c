/*
 * foreign_code.c — whether expressions, or reading a table, run code of others
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/transam.h"
#include "catalog/pg_index.h"
#include "catalog/pg_proc.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "rewrite/rowsecurity.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "rows/foreign_code.h"

/* Stable functions that policies need, and that run no code of others. */
static const Oid harmless_functions[] = {
	F_CURRENT_SETTING_TEXT,	 F_CURRENT_SETTING_TEXT_BOOL, F_ENUM_IN, F_NOW,
	F_PG_HAS_ROLE_NAME_TEXT,
};

/*
 * PostgreSQL's own immutable functions, and these.  Others may run any query:
 * query_to_xml() does, table_to_xml() reads a view, ordcancel.cancel_order() is
 * a superuser's.
 */
static bool
may_run_code(Oid function, void *context)
{
	for (int i = 0; i < lengthof(harmless_functions); i++)
		if (function == harmless_functions[i])
			return false;
	return function >= FirstNormalObjectId ||
		func_volatile(function) != PROVOLATILE_IMMUTABLE;
}

/*
 * Input and comparison of other types may run code: checks of a domain that is
 * the type of an element or a column.
 */
static bool
is_plain(Oid type)
{
	return type < FirstNormalObjectId || get_typtype(type) == TYPTYPE_ENUM;
}

static bool
calls_foreign(Node *node, void *context)
{
	if (node == NULL)
		return false;
	switch (nodeTag(node))
	{
		case T_List:
		case T_CaseWhen:
			break;
		case T_Var:
		case T_Const:
		case T_FuncExpr:
		case T_OpExpr:
		case T_DistinctExpr:
		case T_NullIfExpr:
		case T_ScalarArrayOpExpr:
		case T_BoolExpr:
		case T_NullTest:
		case T_BooleanTest:
		case T_RelabelType:
		case T_CoerceViaIO:
		case T_CaseExpr:
		case T_CaseTestExpr:
		case T_CoalesceExpr:
		case T_ArrayExpr:
		case T_MinMaxExpr:
		case T_SQLValueFunction:
			if (!is_plain(exprType(node)))
				return true;
			break;
		default:
			return true;
	}
	return check_functions_in_node(node, may_run_code, context) ||
		expression_tree_walker(node, calls_foreign, context);
}

bool
foreign_code_in(Node *node)
{
	return calls_foreign(node, NULL);
}

static bool
policies_call_foreign(Relation rel)
{
	ListCell *lc;

	if (rel->rd_rsdesc == NULL)
		return false;
	foreach(lc, rel->rd_rsdesc->policies)
	{
		RowSecurityPolicy *policy = lfirst(lc);

		if (policy->hassublinks || calls_foreign((Node *) policy->qual, NULL))
			return true;
	}
	return false;
}

/*
 * The text in the catalog is read, because the relcache evaluates what is
 * constant in an expression or a predicate when it loads it.
 */
static bool
index_calls_foreign(Oid indexid, AttrNumber attribute)
{
	HeapTuple tuple = SearchSysCache1(INDEXRELID, ObjectIdGetDatum(indexid));
	Datum	  source;
	bool	  isnull;
	bool	  calls;

	if (!HeapTupleIsValid(tuple))
		return false;
	source = SysCacheGetAttr(INDEXRELID, tuple, attribute, &isnull);
	calls = !isnull &&
		calls_foreign(stringToNode(TextDatumGetCString(source)), NULL);
	ReleaseSysCache(tuple);
	return calls;
}

static bool
indexes_call_foreign(Relation rel)
{
	List	 *indexes = RelationGetIndexList(rel);
	bool	  found = false;
	ListCell *lc;

	foreach(lc, indexes)
		found |= index_calls_foreign(lfirst_oid(lc), Anum_pg_index_indexprs) ||
			index_calls_foreign(lfirst_oid(lc), Anum_pg_index_indpred);
	list_free(indexes);
	return found;
}

/* Constraints and generated columns. */
static bool
columns_call_foreign(TupleDesc desc)
{
	TupleConstr *constraints = desc->constr;

	for (int i = 0; constraints && i < constraints->num_check; i++)
		if (calls_foreign(stringToNode(constraints->check[i].ccbin), NULL))
			return true;
	for (int i = 0; constraints && i < constraints->num_defval; i++)
	{
		AttrDefault *value = &constraints->defval[i];

		if (TupleDescAttr(desc, value->adnum - 1)->attgenerated &&
			calls_foreign(stringToNode(value->adbin), NULL))
			return true;
	}
	return false;
}

/* Partitions, which are planned as well, and statistics are not looked into. */
static bool
reading_calls_foreign(Relation rel)
{
	return rel->rd_rel->relkind != RELKIND_RELATION ||
		rel->rd_rel->relispartition || RelationGetStatExtList(rel) != NIL ||
		policies_call_foreign(rel) || indexes_call_foreign(rel) ||
		columns_call_foreign(RelationGetDescr(rel));
}

bool
foreign_code_runs(Oid relid, Oid role)
{
	Relation rel = try_table_open(relid, AccessShareLock);
	bool	 runs;

	if (rel == NULL)
		return true;
	runs = rel->rd_rel->relowner != role &&
		!superuser_arg(rel->rd_rel->relowner) && reading_calls_foreign(rel);
	table_close(rel, NoLock); /* so that it does not change until it is read */
	return runs;
}
