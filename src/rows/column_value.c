/*
 * column_value.c — values of the order table's columns to and from text
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "rows/column_value.h"

/*
 * The FmgrInfo in the cache is used only if the input function runs no user
 * code.  That of a domain evaluates its constraints, which may call us again
 * for the same column, while fn_extra is in use.
 */
Datum
column_from_text(const Column *column, const char *text)
{
	if (column->input_is_plain)
		return InputFunctionCall((FmgrInfo *) &column->in, (char *) text,
								 column->ioparam, column->typmod);
	return OidInputFunctionCall(column->input, (char *) text, column->ioparam,
								column->typmod);
}

char *
column_to_text(const Column *column, Datum value)
{
	char *text;

	/* boolout would return t and f */
	if (column->base == BOOLOID)
		return pstrdup(DatumGetBool(value) ? "true" : "false");
	text = OutputFunctionCall((FmgrInfo *) &column->out, value);
	if (column->blank_padded)
		for (int end = strlen(text); end > 0 && text[end - 1] == ' '; end--)
			text[end - 1] = '\0';
	return text;
}

char *
value_to_text(Datum value, Oid type)
{
	Oid	 function;
	bool varlena;

	if (type == UNKNOWNOID || type == CSTRINGOID)
		return DatumGetCString(value);
	getTypeOutputInfo(type, &function, &varlena);
	return OidOutputFunctionCall(function, value);
}

/* A value of a domain's base type is not good enough for the domain. */
Datum
column_from_value(const Column *column, Datum value, Oid type)
{
	if (type == column->type)
		return value;
	return column_from_text(column, value_to_text(value, type));
}
