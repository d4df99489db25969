/*
 * text.c — comparing and shortening strings, names of relations
 */
#include "postgres.h"

#include "mb/pg_wchar.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "base/text.h"

bool
equal_or_both_null(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool
equal_and_not_null(const char *a, const char *b)
{
	return a && b && strcmp(a, b) == 0;
}

char *
text_clip(const char *text, int bytes)
{
	int length = strlen(text);

	if (length <= bytes)
		return pstrdup(text);
	return psprintf("%.*s...", pg_mbcliplen(text, length, bytes), text);
}

char *
relation_label(Oid relid)
{
	char *name = get_rel_name(relid);

	return name ? quote_qualified_identifier(get_namespace_name(
												 get_rel_namespace(relid)),
											 name) :
				  psprintf("%u", relid);
}
