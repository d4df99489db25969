/*
 * column_value.c — values of a column to and from text
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "rows/column_value.h"

/*
 * The check of a domain may call us again, for the same column, so what its
 * input function keeps between calls must not be shared.
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

	/* As a person writes it; its output function says t and f. */
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

/* A value of a domain goes through text, so that it is checked. */
Datum
column_from_value(const Column *column, Datum value, Oid type)
{
	if (type == column->type)
		return value;
	return column_from_text(column, value_to_text(value, type));
}
