/*
 * config_table.c — reads the configuration tables of the extension
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/namespace.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/hashfn.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

#include "base/result_row.h"
#include "config/config_table.h"

static Oid
relation_in(const char *schema, const char *name)
{
	Oid oid = get_namespace_oid(schema, true);

	return OidIsValid(oid) ? get_relname_relid(name, oid) : InvalidOid;
}

Oid
config_relation(const char *name)
{
	return relation_in("ordcancel", name);
}

void
config_raise_dropped(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 errmsg("extension \"ordcancel\" was dropped concurrently")));
}

Oid
config_relation_owner(Oid relid)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(relid));
	Oid		  owner;

	if (!HeapTupleIsValid(tuple))
		return InvalidOid;
	owner = ((Form_pg_class) GETSTRUCT(tuple))->relowner;
	ReleaseSysCache(tuple);
	return owner;
}

Oid
config_owner(void)
{
	Oid owner = config_relation_owner(config_relation("order_table"));

	if (!OidIsValid(owner))
		config_raise_dropped();
	return owner;
}

bool
config_trusts(Oid role)
{
	return superuser_arg(role) || role == config_owner();
}

static int
scan(Oid relid, const char *index, ScanKey keys, int nkeys, bool first,
	 ConfigRowCallback row, void *arg)
{
	Relation	rel;
	SysScanDesc scan;
	HeapTuple	tuple;
	int			count = 0;

	/* The library can be loaded in a database without the extension. */
	if (!OidIsValid(relid))
		return 0;
	rel = try_table_open(relid, AccessShareLock);
	if (rel == NULL)
		return 0; /* it was dropped concurrently */
	scan = systable_beginscan(rel,
							  get_relname_relid(index,
												RelationGetNamespace(rel)),
							  true, NULL, nkeys, keys);
	while ((count == 0 || !first) &&
		   HeapTupleIsValid(tuple = systable_getnext(scan)))
	{
		row(tuple, RelationGetDescr(rel), arg);
		count++;
	}
	systable_endscan(scan);
	table_close(rel, AccessShareLock);
	return count;
}

int
config_scan(const char *name, Oid orders, ConfigRowCallback row, void *arg)
{
	ScanKeyData key;
	char		index[NAMEDATALEN];

	snprintf(index, sizeof(index), "%s_pkey", name);
	ScanKeyInit(&key, 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(orders));
	return scan(config_relation(name), index, &key, OidIsValid(orders) ? 1 : 0,
				false, row, arg);
}

int
config_scan_index(const char *name, const char *index, int column, Oid value,
				  ConfigRowCallback row, void *arg)
{
	ScanKeyData key;

	ScanKeyInit(&key, column, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(value));
	return scan(config_relation(name), index, &key, 1, false, row, arg);
}

int
config_scan_partial(const char *name, const char *index, ConfigRowCallback row,
					void *arg)
{
	return scan(config_relation(name), index, NULL, 0, false, row, arg);
}

int
config_scan_detached(ConfigRowCallback row, void *arg)
{
	return scan(relation_in("ordcancel_internal", "detached"), "detached_pkey",
				NULL, 0, false, row, arg);
}

int
config_find(const ConfigSearch *search, ConfigRowCallback row, void *arg)
{
	ScanKeyData keys[2];

	ScanKeyInit(&keys[0], 1, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(search->orders));
	ScanKeyEntryInitialize(
		&keys[1], 0, search->column,
		search->beyond ? BTGreaterStrategyNumber : BTEqualStrategyNumber,
		InvalidOid, search->bytewise ? C_COLLATION_OID : DEFAULT_COLLATION_OID,
		search->beyond ? F_TEXT_GT : F_TEXTEQ,
		CStringGetTextDatum(search->text));
	return scan(config_relation(search->table), search->index, keys, 2,
				search->first, row, arg);
}

uint64
config_fingerprint(uint64 fingerprint, HeapTuple row)
{
	const unsigned char *data = (const unsigned char *) row->t_data;
	Size				 begin = offsetof(HeapTupleHeaderData, t_bits);

	fingerprint = hash_combine64(
		fingerprint,
		hash_bytes_extended((unsigned char *) &row->t_self,
							sizeof(ItemPointerData),
							HeapTupleHeaderGetRawXmin(row->t_data)));
	return hash_combine64(fingerprint,
						  hash_bytes_extended(data + begin, row->t_len - begin,
											  0));
}

/* A newer library must not read past the columns of older tables. */
static Datum
config_value(HeapTuple row, TupleDesc desc, int column, bool *isnull)
{
	if (column > desc->natts)
		ereport(ERROR,
				(errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
				 errmsg("extension \"ordcancel\" is older than its library"),
				 errhint("Run ALTER EXTENSION ordcancel UPDATE.")));
	return heap_getattr(row, column, desc, isnull);
}

char *
config_text(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = config_value(row, desc, column, &isnull);

	return nullable_text(value, isnull);
}

char *
config_name(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = config_value(row, desc, column, &isnull);

	return isnull ? NULL : pstrdup(NameStr(*DatumGetName(value)));
}

char **
config_names(HeapTuple row, TupleDesc desc, int column, int *count)
{
	bool   isnull;
	Datum  value = config_value(row, desc, column, &isnull);
	Datum *names;
	char **copies;

	*count = 0;
	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(value), NAMEOID, NAMEDATALEN, false,
					  TYPALIGN_CHAR, &names, NULL, count);
	copies = palloc(*count * sizeof(char *));
	for (int i = 0; i < *count; i++)
		copies[i] = pstrdup(NameStr(*DatumGetName(names[i])));
	return copies;
}

char **
config_texts(HeapTuple row, TupleDesc desc, int column, int *count)
{
	bool   isnull;
	Datum  value = config_value(row, desc, column, &isnull);
	Datum *texts;
	bool  *nulls;
	char **copies;
	int	   n;

	*count = 0;
	if (isnull)
		return NULL;
	deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false,
					  TYPALIGN_INT, &texts, &nulls, &n);
	copies = palloc(n * sizeof(char *));
	for (int i = 0; i < n; i++)
		if (!nulls[i])
			copies[(*count)++] = TextDatumGetCString(texts[i]);
	return copies;
}

Interval *
config_interval(HeapTuple row, TupleDesc desc, int column)
{
	bool	  isnull;
	Datum	  value = config_value(row, desc, column, &isnull);
	Interval *copy;

	if (isnull)
		return NULL;
	copy = palloc(sizeof(Interval));
	*copy = *DatumGetIntervalP(value);
	return copy;
}

bool
config_bool(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = config_value(row, desc, column, &isnull);

	return !isnull && DatumGetBool(value);
}

Oid
config_oid(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = config_value(row, desc, column, &isnull);

	return isnull ? InvalidOid : DatumGetObjectId(value);
}

int
config_int(HeapTuple row, TupleDesc desc, int column)
{
	bool  isnull;
	Datum value = config_value(row, desc, column, &isnull);

	return isnull ? 0 : DatumGetInt32(value);
}
