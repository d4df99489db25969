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
read_row(const OrderTable *table, int nkeys, HeapTupleHeader row, Datum *key)
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
		fits = n < nkeys && !isnull;
		if (fits)
		{
			key[n] = column_from_value(&table->keys[n], value, att->atttypid);
			n++;
		}
	}
	ReleaseTupleDesc(desc);
	return fits && n == nkeys;
}

/* Reads the first columns of a key, which "desc" describes. */
static bool
read_key(const OrderTable *table, TupleDesc desc, Datum value, Oid type,
		 Datum *key)
{
	if (desc->natts == 1)
	{
		key[0] = column_from_value(&table->keys[0], value, type);
		return true;
	}
	if (type_is_text(type))
		value = OidInputFunctionCall(F_RECORD_IN, value_to_text(value, type),
									 RECORDOID, desc->tdtypmod);
	else if (!type_is_rowtype(type))
		return false;
	return read_row(table, desc->natts, DatumGetHeapTupleHeader(value), key);
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

static bool
read_columns(const OrderTable *table, TupleDesc desc, Datum value, bool isnull,
			 Oid type, Datum *key, char **why)
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
		fits = read_key(table, desc, value, type, key);
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

bool
order_key_read(const OrderTable *table, Datum value, bool isnull, Oid type,
			   Datum *key, char **why)
{
	return read_columns(table, table->key_desc, value, isnull, type, key, why);
}

bool
order_call_key_read(const OrderTable *table, Datum value, bool isnull,
					Oid type, Datum *key, char **why)
{
	return read_columns(table, table->call_key_desc, value, isnull, type, key,
						why);
}

/* The columns in the text of a row, like (7,"a,b"); 1 for any other text. */
static int
text_columns(const char *text)
{
	int	 columns = 1;
	bool quoted = false;

	while (isspace((unsigned char) *text))
		text++;
	if (*text != '(')
		return 1;
	for (; *text; text++)
	{
		if (*text == '\\' && text[1])
			text++;
		else if (*text == '"')
			quoted = !quoted; /* twice for "" in quotes */
		else if (*text == ',' && !quoted)
			columns++;
	}
	return columns;
}

static int
row_columns(HeapTupleHeader row)
{
	TupleDesc desc = lookup_rowtype_tupdesc(HeapTupleHeaderGetTypeId(row),
											HeapTupleHeaderGetTypMod(row));
	int		  columns = 0;

	for (int i = 0; i < desc->natts; i++)
		columns += !TupleDescAttr(desc, i)->attisdropped;
	ReleaseTupleDesc(desc);
	return columns;
}

bool
order_key_is_call_key(const OrderTable *table, Datum value, bool isnull,
					  Oid type)
{
	if (table->ncall_keys == 0 || isnull)
		return false;
	if (type_is_text(type))
		return text_columns(value_to_text(value, type)) == table->ncall_keys;
	if (type_is_rowtype(type))
		return row_columns(DatumGetHeapTupleHeader(value)) ==
			table->ncall_keys;
	return table->ncall_keys == 1;
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
