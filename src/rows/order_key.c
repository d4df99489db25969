/*
 * order_key.c — primary keys of orders: reading, printing, comparing
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
#include "utils/typcache.h"

#include "base/stable_settings.h"
#include "base/text.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/order_key.h"

static bool
type_is_text(Oid type)
{
	return type == TEXTOID || type == VARCHAROID || type == BPCHAROID ||
		type == UNKNOWNOID || type == NAMEOID || type == CSTRINGOID;
}

/*
 * Reads a key of several columns from a row of any type.  Returns false if the
 * row has another number of columns, or a null in one.
 */
static bool
read_row(const OrderTable *table, HeapTupleHeader row, Datum *key)
{
	TupleDesc	  desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
												HeapTupleHeaderGetTypMod(row));
	HeapTupleData tuple = {0};
	int			  n = 0;
	bool		  fits = true;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	for (int i = 0; i < desc->natts && fits; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Datum			  value;
		bool			  isnull;

		if (att->attisdropped)
			continue;
		value = heap_getattr(&tuple, i + 1, desc, &isnull);
		fits = n < table->nkeys && !isnull;
		if (fits)
		{
			key[n] = column_from_value(&table->keys[n], value, att->atttypid);
			n++;
		}
	}
	ReleaseTupleDesc(desc);
	return fits && n == table->nkeys;
}

static bool
read_key(const OrderTable *table, Datum value, Oid type, Datum *key)
{
	if (table->nkeys == 1)
	{
		key[0] = column_from_value(&table->keys[0], value, type);
		return true;
	}
	if (type_is_text(type))
		value = OidInputFunctionCall(F_RECORD_IN, value_to_text(value, type),
									 RECORDOID, table->key_desc->tdtypmod);
	else if (!type_is_rowtype(type))
		return false;
	return read_row(table, DatumGetHeapTupleHeader(value), key);
}

/*
 * In a PG_CATCH: re-throws an input function's error, as "order not found" if
 * it rejected the value.  Execution cannot go on in either case, since there
 * is no subtransaction to clean up after the function.
 */
pg_noreturn static void
rethrow_not_found(const OrderTable *table, MemoryContext caller, Datum value,
				  Oid type)
{
	ErrorData *error;
	Refusal	   refusal;
	int		   category;

	MemoryContextSwitchTo(caller);
	error = CopyErrorData();
	category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
	if (category != ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) &&
		category !=
			ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION) &&
		error->sqlerrcode != ERRCODE_PROGRAM_LIMIT_EXCEEDED)
		PG_RE_THROW();
	FlushErrorState();
	refusal = refusal_not_found(
		table->label, text_clip(order_key_given(value, false, type), 80),
		psprintf("It is not a key of %s: %s.", table->label,
				 text_clip(error->message, 200)));
	refusal_raise(&refusal);
}

bool
order_key_read(const OrderTable *table, Datum value, bool isnull, Oid type,
			   Datum *key, char **why)
{
	MemoryContext caller = CurrentMemoryContext;
	volatile bool fits = false;

	*why = NULL;
	if (isnull)
	{
		*why = "The order id is null.";
		return false;
	}
	PG_TRY();
	{
		fits = read_key(table, value, type, key);
	}
	PG_CATCH();
	{
		rethrow_not_found(table, caller, value, type);
	}
	PG_END_TRY();
	if (!fits)
		*why = psprintf("The primary key of %s has %d columns.", table->label,
						table->nkeys);
	return fits;
}

char *
order_key_text(const OrderTable *table, const Datum *key)
{
	int	  nest = table->key_has_format ? stable_settings_begin("UTC") : 0;
	char *text;

	if (table->nkeys == 1)
		text = column_to_text(&table->keys[0], key[0]);
	else
	{
		bool	  nulls[INDEX_MAX_KEYS] = {false};
		HeapTuple row = heap_form_tuple(table->key_desc, (Datum *) key, nulls);

		text = OidOutputFunctionCall(F_RECORD_OUT, HeapTupleGetDatum(row));
	}
	if (nest)
		stable_settings_end(nest);
	return text;
}

char *
order_key_given(Datum value, bool isnull, Oid type)
{
	return isnull ? "NULL" : value_to_text(value, type);
}

bool
order_key_same(const OrderTable *table, const Datum *a, const Datum *b)
{
	for (int i = 0; i < table->nkeys; i++)
		if (!datum_image_eq(a[i], b[i], table->keys[i].typbyval,
							table->keys[i].typlen))
			return false;
	return true;
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
order_key_compare(const OrderTable *table, const Datum *a, const Datum *b)
{
	for (int i = 0; i < table->nkeys; i++)
	{
		Column *key = &table->keys[i];
		int		order = DatumGetInt32(FunctionCall2Coll(&key->compare_function,
														key->collation, a[i],
														b[i]));

		if (order != 0)
			return order;
	}
	return 0;
}

void
order_key_qual(StringInfo sql, const OrderTable *table, const char *alias,
			   char **names, int first)
{
	for (int i = 0; i < table->nkeys; i++)
	{
		const Column *key = &table->keys[i];
		Oid			  base = getBaseType(key->type);
		char		 *left = psprintf("%s.%s", alias,
									  quote_identifier(names ? names[i] : key->name));
		char		 *right = psprintf("$%d", first + i);

		/* A domain over an enum is not coerced to anyenum implicitly. */
		if (base != key->type)
		{
			left = psprintf("%s::%s", left, format_type_be_qualified(base));
			right = psprintf("%s::%s", right, format_type_be_qualified(base));
		}
		if (i > 0)
			appendStringInfoString(sql, " AND ");
		generate_operator_clause(sql, left, base, key->equal, right, base);
	}
}

void
order_key_sort(StringInfo sql, const OrderTable *table, const char *alias)
{
	for (int i = 0; i < table->nkeys; i++)
	{
		const Column *key = &table->keys[i];
		Oid			  base = getBaseType(key->type);

		appendStringInfo(sql, "%s%s.%s", i ? ", " : "", alias,
						 quote_identifier(key->name));
		if (base != key->type)
			appendStringInfo(sql, "::%s", format_type_be_qualified(base));
		appendStringInfo(sql, " USING OPERATOR(%s.%s)",
						 quote_identifier(
							 get_namespace_name(operator_schema(key->less))),
						 get_opname(key->less));
	}
}
