/*
 * call_bytes.c — a function call as a string of bytes
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/lsyscache.h"

#include "base/compat.h"
#include "entry/call_bytes.h"

/* Spares the most common types a catalog lookup. */
static void
type_length(Oid type, int16 *length, bool *byval)
{
	switch (type)
	{
		case TEXTOID:
		case VARCHAROID:
		case NUMERICOID:
		case RECORDOID:
			*length = -1;
			*byval = false;
			break;
		case REGCLASSOID:
		case INT4OID:
			*length = 4;
			*byval = true;
			break;
		case INT8OID:
			*length = 8;
			*byval = sizeof(Datum) == 8;
			break;
		default:
			get_typlenbyval(type, length, byval);
			break;
	}
}

/* The bytes of a value, independent of TOAST and short headers. */
static void
append_value(StringInfo key, Datum value, Oid type)
{
	int16 length;
	bool  byval;
	int	  bytes;

	type_length(type, &length, &byval);
	if (byval)
	{
		appendBinaryStringInfo(key, (char *) &value, sizeof(Datum));
		return;
	}
	if (length == -1)
	{
		struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

		value = PointerGetDatum(VARDATA_ANY(packed));
		bytes = VARSIZE_ANY_EXHDR(packed);
	}
	else
		bytes = length == -2 ? strlen(DatumGetCString(value)) : length;
	appendBinaryStringInfo(key, (char *) &bytes, sizeof(bytes));
	appendBinaryStringInfo(key, DatumGetPointer(value), bytes);
}

bool
call_bytes(FunctionCallInfo fcinfo, StringInfo key)
{
	initStringInfo(key);
	appendBinaryStringInfo(key, (char *) &fcinfo->flinfo->fn_oid, sizeof(Oid));
	for (int i = 0; i < fcinfo->nargs; i++)
	{
		bool isnull = PG_ARGISNULL(i);
		Oid	 type = get_fn_expr_argtype(fcinfo->flinfo, i);

		if (!OidIsValid(type))
			return false;
		appendBinaryStringInfo(key, (char *) &type, sizeof(Oid));
		appendStringInfoChar(key, isnull);
		if (!isnull)
			append_value(key, PG_GETARG_DATUM(i), type);
	}
	return true;
}
