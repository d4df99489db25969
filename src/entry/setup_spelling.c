/*
 * setup_spelling.c — suggests a name for a misspelled one
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/varlena.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(ordcancel_closest);

/* As in PostgreSQL's own hints; more is probably not a typo. */
#define MAX_DISTANCE 3

/* The longest that varstr_levenshtein takes, in characters. */
#define MAX_LENGTH 255

/* Any difference in case counts as 1. */
static int
distance(const char *word, const char *other)
{
	int length = strlen(word);
	int other_length = strlen(other);

	if (strcmp(word, other) == 0)
		return 0;
	if (pg_strcasecmp(word, other) == 0)
		return 1;
	if (length > MAX_LENGTH || other_length > MAX_LENGTH)
		return MAX_DISTANCE + 1;
	return varstr_levenshtein_less_equal(word, length, other, other_length, 1,
										 1, 1, MAX_DISTANCE, true);
}

/* closest(word, words): the most similar of the words, or NULL. */
Datum
ordcancel_closest(PG_FUNCTION_ARGS)
{
	char  *word = text_to_cstring(PG_GETARG_TEXT_PP(0));
	Datum *words;
	bool  *nulls;
	int	   count;
	char  *best = NULL;
	int	   best_distance = MAX_DISTANCE + 1;

	deconstruct_array(PG_GETARG_ARRAYTYPE_P(1), TEXTOID, -1, false,
					  TYPALIGN_INT, &words, &nulls, &count);
	for (int i = 0; i < count; i++)
	{
		char *other = nulls[i] ? "" : TextDatumGetCString(words[i]);
		int	  d = distance(word, other);

		/* A short word is at a small distance from any other. */
		if (d < best_distance && d * 2 <= (int) strlen(other))
		{
			best = other;
			best_distance = d;
		}
	}
	if (best == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(best));
}
