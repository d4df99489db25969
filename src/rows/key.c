/*
 * key.c — keys of several columns: printing, comparing, in SQL
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/stable_settings.h"
#include "rows/column_value.h"
#include "rows/key.h"

char *
key_text(const Column *columns, int count, TupleDesc desc, bool has_format,
		 const Datum *key)
{
	int	  nest = has_format ? stable_settings_begin("UTC") : 0;
	char *text;

	if (count == 1)
		text = column_to_text(&columns[0], key[0]);
	else
	{
		bool	  nulls[INDEX_MAX_KEYS] = {false};
		HeapTuple row = heap_form_tuple(desc, (Datum *) key, nulls);

		text = OidOutputFunctionCall(F_RECORD_OUT, HeapTupleGetDatum(row));
	}
	if (nest)
		stable_settings_end(nest);
	return text;
}

bool
key_same(const Column *columns, int count, const Datum *a, const Datum *b)
{
	for (int i = 0; i < count; i++)
		if (!datum_image_eq(a[i], b[i], columns[i].typbyval,
							columns[i].typlen))
			return false;
	return true;
}

Datum *
key_copy(const Column *columns, int count, const Datum *key)
{
	Datum *copy = palloc(count * sizeof(Datum));

	for (int i = 0; i < count; i++)
		copy[i] = datumCopy(key[i], columns[i].typbyval, columns[i].typlen);
	return copy;
}

static Oid
operator_schema(Oid operator)
{
	HeapTuple tuple = SearchSysCache1(OPEROID, ObjectIdGetDatum(operator));
	Oid		  schema;

	if (!HeapTupleIsValid(tuple))
		elog(ERROR, "cache lookup failed for operator %u", operator);
	schema = ((Form_pg_operator) GETSTRUCT(tuple))->oprnamespace;
	ReleaseSysCache(tuple);
	return schema;
}

int
key_compare(const Column *columns, int count, const Datum *a, const Datum *b)
{
	for (int i = 0; i < count; i++)
	{
		const Column *key = &columns[i];
		int			  order = DatumGetInt32(
					  FunctionCall2Coll((FmgrInfo *) &key->compare_function,
										key->collation, a[i], b[i]));

		if (order != 0)
			return order;
	}
	return 0;
}

char *
key_type_name(Oid base)
{
	return format_type_extended(base, -1,
								FORMAT_TYPE_TYPEMOD_GIVEN |
									FORMAT_TYPE_FORCE_QUALIFY);
}

void
key_qual(StringInfo sql, const Column *columns, int count, const char *alias,
		 char **names, int first)
{
	for (int i = 0; i < count; i++)
	{
		const Column *key = &columns[i];
		Oid			  base = getBaseType(key->type);
		char		 *left = psprintf("%s.%s", alias,
									  quote_identifier(names ? names[i] : key->name));
		char		 *right = psprintf("$%d", first + i);

		/* A domain over an enum is not coerced to anyenum implicitly. */
		if (base != key->type)
		{
			left = psprintf("%s::%s", left, key_type_name(base));
			right = psprintf("%s::%s", right, key_type_name(base));
		}
		if (i > 0)
			appendStringInfoString(sql, " AND ");
		generate_operator_clause(sql, left, base, key->equal, right, base);
	}
}

void
key_sort(StringInfo sql, const Column *columns, int count, const char *alias)
{
	for (int i = 0; i < count; i++)
	{
		const Column *key = &columns[i];
		Oid			  base = getBaseType(key->type);

		appendStringInfo(sql, "%s%s.%s", i ? ", " : "", alias,
						 quote_identifier(key->name));
		if (base != key->type)
			appendStringInfo(sql, "::%s", key_type_name(base));
		appendStringInfo(sql, " USING OPERATOR(%s.%s)",
						 quote_identifier(
							 get_namespace_name(operator_schema(key->less))),
						 get_opname(key->less));
	}
}
