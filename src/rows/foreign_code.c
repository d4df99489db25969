/*
 * foreign_code.c — whether reading a table runs code of its owner
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
#include "utils/rel.h"
#include "utils/syscache.h"

#include "rows/foreign_code.h"

/* A function that neither PostgreSQL nor a superuser has made. */
static bool
is_foreign(Oid function, void *context)
{
	HeapTuple tuple;
	bool	  foreign;

	if (function < FirstNormalObjectId)
		return false;
	tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
	if (!HeapTupleIsValid(tuple))
		return true;
	foreign = !superuser_arg(((Form_pg_proc) GETSTRUCT(tuple))->proowner);
	ReleaseSysCache(tuple);
	return foreign;
}

static bool
calls_foreign(Node *node, void *context)
{
	if (node == NULL)
		return false;
	if (IsA(node, SubLink) || IsA(node, CoerceToDomain) ||
		check_functions_in_node(node, is_foreign, context))
		return true;
	return expression_tree_walker(node, calls_foreign, context);
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
		RelationGetStatExtList(rel) != NIL || policies_call_foreign(rel) ||
		indexes_call_foreign(rel) ||
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
	table_close(rel, AccessShareLock);
	return runs;
}
