/*
 * shard.c — tables that Citus distributes, and their shards
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_namespace.h"
#include "catalog/pg_type.h"
#include "commands/extension.h"
#include "nodes/primnodes.h"
#include "parser/parse_func.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/varlena.h"

#include "base/compat.h"
#include "config/shard.h"

/* A search in a catalog of Citus. */
typedef struct DistSearch
{
	Relation	rel;
	SysScanDesc scan;
} DistSearch;

bool
shard_possible(void)
{
	return OidIsValid(
		get_relname_relid("pg_dist_partition", PG_CATALOG_NAMESPACE));
}

/* The catalog may lack the index in another version of Citus. */
static bool
search_begin(DistSearch *search, const char *catalog, const char *index,
			 const char *column, RegProcedure equal, Datum value)
{
	Oid			relid = get_relname_relid(catalog, PG_CATALOG_NAMESPACE);
	Oid			by = index ? get_relname_relid(index, PG_CATALOG_NAMESPACE) :
							 InvalidOid;
	ScanKeyData key;

	if (!OidIsValid(relid))
		return false;
	search->rel = table_open(relid, AccessShareLock);
	if (column)
		ScanKeyInit(&key, get_attnum(relid, column), BTEqualStrategyNumber,
					equal, value);
	search->scan = systable_beginscan(search->rel, by, OidIsValid(by), NULL,
									  column ? 1 : 0, &key);
	return true;
}

static HeapTuple
search_next(DistSearch *search)
{
	return systable_getnext(search->scan);
}

static void
search_end(DistSearch *search)
{
	systable_endscan(search->scan);
	table_close(search->rel, AccessShareLock);
}

static Datum
get_value(const DistSearch *search, HeapTuple row, const char *column,
		  bool *isnull)
{
	int attnum = get_attnum(RelationGetRelid(search->rel), column);

	*isnull = true;
	return attnum > 0 ?
		heap_getattr(row, attnum, RelationGetDescr(search->rel), isnull) :
		(Datum) 0;
}

/* The key is a Var, as a text. */
static int
partition_column(const DistSearch *search, HeapTuple row)
{
	bool  isnull;
	Datum key = get_value(search, row, "partkey", &isnull);
	Node *node = isnull ? NULL : stringToNode(TextDatumGetCString(key));

	return node && IsA(node, Var) ? ((Var *) node)->varattno : 0;
}

bool
shard_distribution(Oid relid, Distribution *distribution)
{
	DistSearch search;
	HeapTuple  row;
	bool	   isnull;
	Datum	   value;

	memset(distribution, 0, sizeof(Distribution));
	if (!search_begin(&search, "pg_dist_partition",
					  "pg_dist_partition_logical_relid_index", "logicalrelid",
					  F_OIDEQ, ObjectIdGetDatum(relid)))
		return false;
	row = search_next(&search);
	if (HeapTupleIsValid(row))
	{
		value = get_value(&search, row, "partmethod", &isnull);
		distribution->method = isnull ? '?' : DatumGetChar(value);
		value = get_value(&search, row, "colocationid", &isnull);
		distribution->group = isnull ? 0 : DatumGetInt32(value);
		value = get_value(&search, row, "repmodel", &isnull);
		distribution->everywhere = !isnull && DatumGetChar(value) == 't';
		distribution->column = partition_column(&search, row);
	}
	search_end(&search);
	return distribution->method != 0;
}

bool
shard_is_distributed(Oid relid)
{
	Distribution distribution;

	return shard_possible() && shard_distribution(relid, &distribution);
}

static void
read_shard(const DistSearch *search, HeapTuple row, Shard *shard)
{
	bool  isnull;
	Datum first;
	Datum last;

	shard->id = DatumGetInt64(get_value(search, row, "shardid", &isnull));
	shard->logical = DatumGetObjectId(
		get_value(search, row, "logicalrelid", &isnull));
	last = get_value(search, row, "shardmaxvalue", &isnull);
	shard->whole = isnull;
	first = get_value(search, row, "shardminvalue", &isnull);
	shard->whole |= isnull;
	shard->first = shard->whole ? PG_INT32_MIN :
								  pg_strtoint32(TextDatumGetCString(first));
	shard->last = shard->whole ? PG_INT32_MAX :
								 pg_strtoint32(TextDatumGetCString(last));
}

/* The name, which Citus shortens if it is too long; NULL if it has no such function. */
static char *
shard_name(Oid logical, int64 id)
{
	Oid	  types[] = {REGCLASSOID, INT8OID, BOOLOID};
	List *name = list_make2(makeString("pg_catalog"),
							makeString("shard_name"));
	Oid	  function = LookupFuncName(name, 3, types, true);
	Datum result;

	if (OidIsValid(function))
		result = OidFunctionCall3(function, ObjectIdGetDatum(logical),
								  Int64GetDatum(id), BoolGetDatum(false));
	else
	{
		function = LookupFuncName(name, 2, types, true);
		if (!OidIsValid(function))
			return NULL;
		result = OidFunctionCall2(function, ObjectIdGetDatum(logical),
								  Int64GetDatum(id));
	}
	return strVal(llast(textToQualifiedNameList(DatumGetTextPP(result))));
}

Oid
shard_relation(Oid logical, int64 id)
{
	char *name;

	if (get_rel_name(logical) == NULL)
		return InvalidOid;
	name = shard_name(logical, id);
	return name ? get_relname_relid(name, get_rel_namespace(logical)) :
				  InvalidOid;
}

/* The number at the end of a name, as shards have; 0 if there is none. */
static int64
number_of_name(const char *name)
{
	const char *digits = name ? strrchr(name, '_') : NULL;
	char	   *end;
	int64		id;

	if (digits == NULL || digits[1] < '1' || digits[1] > '9')
		return 0;
	id = strtoll(digits + 1, &end, 10);
	return *end == '\0' ? id : 0;
}

bool
shard_of_relation(Oid relid, Shard *shard)
{
	int64	   id;
	DistSearch search;
	HeapTuple  row;

	memset(shard, 0, sizeof(Shard));
	if (!shard_possible())
		return false;
	id = number_of_name(get_rel_name(relid));
	if (id == 0 ||
		!search_begin(&search, "pg_dist_shard", "pg_dist_shard_shardid_index",
					  "shardid", F_INT8EQ, Int64GetDatum(id)))
		return false;
	row = search_next(&search);
	if (HeapTupleIsValid(row))
		read_shard(&search, row, shard);
	search_end(&search);

	/* Where the shard is not placed, anybody could give a table that name. */
	if (shard->id != 0 && shard_is_here(shard->id) &&
		shard_relation(shard->logical, shard->id) == relid)
		return true;
	memset(shard, 0, sizeof(Shard));
	return false;
}

List *
shard_list(Oid logical)
{
	List	  *list = NIL;
	DistSearch search;
	HeapTuple  row;

	if (!search_begin(&search, "pg_dist_shard",
					  "pg_dist_shard_logical_relid_index", "logicalrelid",
					  F_OIDEQ, ObjectIdGetDatum(logical)))
		return NIL;
	while (HeapTupleIsValid(row = search_next(&search)))
	{
		Shard *shard = palloc(sizeof(Shard));

		read_shard(&search, row, shard);
		list = lappend(list, shard);
	}
	search_end(&search);
	return list;
}

Oid
shard_sibling(const Shard *shard, Oid logical)
{
	List	 *list = OidIsValid(logical) ? shard_list(logical) : NIL;
	Oid		  found = InvalidOid;
	ListCell *lc;

	foreach(lc, list)
	{
		Shard *other = lfirst(lc);

		if (other->whole == shard->whole && other->first == shard->first &&
			other->last == shard->last && shard_is_here(other->id))
			found = shard_relation(logical, other->id);
	}
	list_free_deep(list);
	return found;
}

static int32
local_group(void)
{
	DistSearch search;
	HeapTuple  row;
	bool	   isnull = true;
	int32	   group = 0;

	if (!search_begin(&search, "pg_dist_local_group", NULL, NULL, 0, 0))
		return -1;
	row = search_next(&search);
	if (HeapTupleIsValid(row))
		group = DatumGetInt32(get_value(&search, row, "groupid", &isnull));
	search_end(&search);
	return isnull ? -1 : group;
}

bool
shard_is_here(int64 id)
{
	int32	   group = local_group();
	DistSearch search;
	HeapTuple  row;
	bool	   here = false;

	if (!search_begin(&search, "pg_dist_placement",
					  "pg_dist_placement_shardid_index", "shardid", F_INT8EQ,
					  Int64GetDatum(id)))
		return false;
	while (HeapTupleIsValid(row = search_next(&search)))
	{
		bool  isnull;
		Datum value = get_value(&search, row, "groupid", &isnull);

		here |= !isnull && DatumGetInt32(value) == group;
	}
	search_end(&search);
	return here;
}

static List *
local_shards(Oid logical)
{
	List	 *list = shard_list(logical);
	List	 *local = NIL;
	ListCell *lc;

	foreach(lc, list)
	{
		Shard *shard = lfirst(lc);
		Oid	   relid = shard_is_here(shard->id) ?
			   shard_relation(logical, shard->id) :
			   InvalidOid;

		if (OidIsValid(relid))
			local = lappend_oid(local, relid);
	}
	list_free_deep(list);
	return local;
}

List *
shard_relations(Oid relid)
{
	return shard_is_distributed(relid) ? local_shards(relid) :
										 list_make1_oid(relid);
}

/*
 * A move of the shard waits for this lock before it reads the last changes, and
 * keeps others waiting until it has ended.
 */
bool
shard_hold(const Shard *shard)
{
	Oid	  types[] = {INT4OID, INT8ARRAYOID};
	Oid	  function = LookupFuncName(list_make2(makeString("pg_catalog"),
											   makeString(
												   "lock_shard_metadata")),
									2, types, true);
	Datum id = Int64GetDatum(shard->id);

	if (!OidIsValid(function))
		return false;
	OidFunctionCall2(function, Int32GetDatum(ShareLock),
					 PointerGetDatum(construct_array(&id, 1, INT8OID, 8, true,
													 TYPALIGN_DOUBLE)));
	AcceptInvalidationMessages();
	return shard_is_here(shard->id);
}

void
shard_raise_elsewhere(const char *label)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
		 errmsg("orders of %s are distributed, and not on this node", label),
		 errdetail("Functions run where the order is."),
		 errhint(
			 "Insert the call into the table of calls, see ordcancel.make_call_table(),"
			 " or connect to the node that has the order.")));
}
