/*
 * child_key.c — the order's key that a child row has
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/typcache.h"

#include "base/text.h"
#include "config/order_table_columns.h"
#include "decision/refusal.h"
#include "rows/child_row.h"
#include "rows/column_value.h"
#include "rows/record.h"

/*
 * Rows that an expression returns are compared byte by byte, too.  Equal ones
 * that differ only make the guard check a row once more.
 */
bool
child_key_same(const ChildKey *a, const ChildKey *b)
{
	if (a->known != b->known || a->count != b->count)
		return false;
	if (!a->known)
		return true;
	for (int i = 0; i < a->count; i++)
		if (a->types[i] != b->types[i] ||
			!datum_image_eq(a->values[i], b->values[i],
							get_typbyval(a->types[i]),
							get_typlen(a->types[i])))
			return false;
	return true;
}

/* The columns of a row; false if one is null. */
static bool
read_row(HeapTupleHeader row, ChildKey *key)
{
	TupleDesc	  desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
												HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple = {0};
	bool		  known = true;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	key->count = 0;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		bool			  isnull;
		Datum			  value = heap_getattr(&tuple, i + 1, desc, &isnull);

		if (att->attisdropped)
			continue;
		if (key->count < INDEX_MAX_KEYS)
		{
			key->values[key->count] = value;
			key->types[key->count] = att->atttypid;
		}
		key->count++;
		known &= !isnull;
	}
	ReleaseTupleDesc(desc);
	return known;
}

static bool
read_array(ArrayType *array, ChildKey *key)
{
	Oid	   type = ARR_ELEMTYPE(array);
	int16  length;
	bool   by_value;
	char   align;
	Datum *values;
	bool  *nulls;
	bool   known = true;

	get_typlenbyvalalign(type, &length, &by_value, &align);
	deconstruct_array(array, type, length, by_value, align, &values, &nulls,
					  &key->count);
	for (int i = 0; i < Min(key->count, INDEX_MAX_KEYS); i++)
	{
		key->values[i] = values[i];
		key->types[i] = type;
		known &= !nulls[i];
	}
	return known;
}

/* Splits the single value of an expression; false if a column is null. */
static bool
split(ChildKey *key)
{
	Oid type = getBaseType(key->types[0]);

	if (type_is_rowtype(type))
		return read_row(DatumGetHeapTupleHeader(key->values[0]), key);
	if (OidIsValid(get_element_type(type)))
		return read_array(DatumGetArrayTypeP(key->values[0]), key);
	return true;
}

static bool
type_fits(const Column *column, Oid type)
{
	return key_type_family(getBaseType(type)) == key_type_family(column->base);
}

/* No order has such a key. */
static bool
is_out_of_range(const Column *column, Datum value, Oid type)
{
	int64 n;

	switch (getBaseType(type))
	{
		case INT8OID:
			n = DatumGetInt64(value);
			break;
		case INT4OID:
			n = DatumGetInt32(value);
			break;
		default:
			return false;
	}
	return column->base == INT4OID ? n < PG_INT32_MIN || n > PG_INT32_MAX :
		column->base == INT2OID	   ? n < PG_INT16_MIN || n > PG_INT16_MAX :
									 false;
}

pg_noreturn static void
raise_unfit(const char *what, const OrderTable *table, const Column *column,
			Oid type)
{
	refusal_raise_invalid_policy(
		psprintf("%s cannot be the key of %s", what, table->label),
		psprintf("Its type is %s, but the type of column \"%s\" is %s.",
				 format_type_be(type), column->name,
				 format_type_be(column->type)),
		psprintf("Cast it to %s.", format_type_be(column->type)));
}

pg_noreturn static void
raise_wrong_count(const char *what, const OrderTable *table, int count)
{
	refusal_raise_invalid_policy(
		psprintf("%s cannot be the key of %s", what, table->label),
		psprintf("It has %d columns, but the primary key of %s has %d.", count,
				 table->label, table->nkeys),
		"Call ordcancel.attach_child() again.");
}

static char *
guard_key_name(const ChildGuard *guard, const ChildRow *row)
{
	return psprintf("the key in guard \"%s\" of child table %s",
					text_clip(guard->name, 80),
					relation_label(RelationGetRelid(row->rel)));
}

bool
child_key_read(const ChildGuard *guard, const ChildRow *row,
			   const ChildKey *given, const OrderTable *table, Datum *key)
{
	ChildKey parts = *given;
	bool	 known = parts.known;

	if (known && guard->key.text &&
		(table->nkeys > 1 || !type_fits(&table->keys[0], parts.types[0])))
		known = split(&parts);
	if (!known)
		return false;
	if (parts.count != table->nkeys)
		raise_wrong_count(guard_key_name(guard, row), table, parts.count);
	for (int i = 0; i < table->nkeys; i++)
	{
		if (!type_fits(&table->keys[i], parts.types[i]))
			raise_unfit(guard_key_name(guard, row), table, &table->keys[i],
						parts.types[i]);
		if (is_out_of_range(&table->keys[i], parts.values[i], parts.types[i]))
			return false;
		key[i] = column_from_value(&table->keys[i], parts.values[i],
								   parts.types[i]);
	}
	return true;
}

void
child_key_check_types(const char *what, List *types, const OrderTable *table)
{
	Oid first = getBaseType(linitial_oid(types));

	/* How many columns a row or an array has is seen when it is read. */
	if (table->nkeys > 1 && list_length(types) == 1)
	{
		if (!type_is_rowtype(first) && !OidIsValid(get_element_type(first)))
			raise_wrong_count(what, table, 1);
		return;
	}
	if (list_length(types) != table->nkeys)
		raise_wrong_count(what, table, list_length(types));
	for (int i = 0; i < table->nkeys; i++)
		if (!type_fits(&table->keys[i], list_nth_oid(types, i)))
			raise_unfit(what, table, &table->keys[i], list_nth_oid(types, i));
}
