/*
 * order_key.c — primary keys of orders: reading, printing, comparing
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/typcache.h"

#include "base/text.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/key.h"
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
	return key_text(table->keys, table->nkeys, table->key_desc,
					table->key_has_format, key);
}

char *
order_key_given(Datum value, bool isnull, Oid type)
{
	return isnull ? "NULL" : value_to_text(value, type);
}

bool
order_key_same(const OrderTable *table, const Datum *a, const Datum *b)
{
	return key_same(table->keys, table->nkeys, a, b);
}

int
order_key_compare(const OrderTable *table, const Datum *a, const Datum *b)
{
	return key_compare(table->keys, table->nkeys, a, b);
}

void
order_key_qual(StringInfo sql, const OrderTable *table, const char *alias,
			   char **names, int first)
{
	key_qual(sql, table->keys, table->nkeys, alias, names, first);
}

void
order_key_sort(StringInfo sql, const OrderTable *table, const char *alias)
{
	key_sort(sql, table->keys, table->nkeys, alias);
}
