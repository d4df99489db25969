/*
 * prior_values.c — what columns of an order had before also_set() wrote them
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#include "config/order_table_columns.h"
#include "rows/column_value.h"
#include "rows/prior_values.h"

static bool
is_time(const Column *column)
{
	return column->base == TIMESTAMPTZOID || column->base == TIMESTAMPOID ||
		column->base == DATEOID;
}

char *
prior_values_text(const Column *column, Datum value)
{
	char	  buffer[MAXDATELEN + 1];
	const int utc = 0;

	if (!is_time(column))
		return column_to_text(column, value);
	return pstrdup(
		JsonEncodeDateTime(buffer, value, column->base,
						   column->base == TIMESTAMPTZOID ? &utc : NULL));
}

bool
prior_values_text_is_stable(const Column *column)
{
	return is_time(column) || column->base == BOOLOID ||
		!type_has_settings(column->type);
}

/* Returns NULL unless the member is a string. */
static char *
member(JsonbContainer *object, const char *name)
{
	JsonbValue *value = getKeyJsonValueFromContainer(object, name,
													 strlen(name), NULL);

	return value && value->type == jbvString ?
		pnstrdup(value->val.string.val, value->val.string.len) :
		NULL;
}

List *
prior_values_read(const struct varlena *json)
{
	List			  *values = NIL;
	JsonbIterator	  *it;
	JsonbIteratorToken token;
	JsonbValue		   v;
	char			  *column = NULL;

	if (json == NULL)
		return NIL;
	it = JsonbIteratorInit(&((Jsonb *) json)->root);
	while ((token = JsonbIteratorNext(&it, &v, true)) != WJB_DONE)
	{
		PriorValue *value;

		if (token == WJB_KEY)
			column = pnstrdup(v.val.string.val, v.val.string.len);
		if (token != WJB_VALUE || v.type != jbvBinary || column == NULL ||
			!JsonContainerIsObject(v.val.binary.data))
			continue;
		value = palloc0(sizeof(PriorValue));
		value->column = column;
		value->prior = member(v.val.binary.data, "prior");
		value->written = member(v.val.binary.data, "written");
		value->erased = getKeyJsonValueFromContainer(v.val.binary.data,
													 "written", 7,
													 NULL) == NULL;
		values = lappend(values, value);
	}
	return values;
}

PriorValue *
prior_values_find(const List *values, const char *column)
{
	ListCell *lc;

	foreach(lc, values)
	{
		PriorValue *value = lfirst(lc);

		if (strcmp(value->column, column) == 0)
			return value;
	}
	return NULL;
}

static JsonbValue
string_or_null(const char *text)
{
	JsonbValue value = {.type = jbvNull};

	if (text)
	{
		value.type = jbvString;
		value.val.string.val = (char *) text;
		value.val.string.len = strlen(text);
	}
	return value;
}

static JsonbPair
member_pair(const char *key, const char *value)
{
	return (JsonbPair){.key = string_or_null(key),
					   .value = string_or_null(value)};
}

/* Keys are in the order of their lengths, then bytewise. */
static int
compare_columns(const ListCell *a, const ListCell *b)
{
	const char *x = ((const PriorValue *) lfirst(a))->column;
	const char *y = ((const PriorValue *) lfirst(b))->column;
	int			difference = (int) strlen(x) - (int) strlen(y);

	return difference ? difference : strcmp(x, y);
}

static JsonbValue
object(JsonbPair *pairs, int count)
{
	JsonbValue value = {.type = jbvObject};

	value.val.object.nPairs = count;
	value.val.object.pairs = pairs;
	return value;
}

/* Not jsonb_in(), which takes several times as long. */
struct varlena *
prior_values_json(List *values)
{
	JsonbPair *pairs = palloc0(list_length(values) * sizeof(JsonbPair));
	JsonbValue all = object(pairs, list_length(values));
	ListCell  *lc;

	if (values == NIL)
		return NULL;
	list_sort(values, compare_columns);
	foreach(lc, values)
	{
		const PriorValue *value = lfirst(lc);
		JsonbPair		 *members = palloc0(2 * sizeof(JsonbPair));
		int				  count = 0;

		if (value->prior)
			members[count++] = member_pair("prior", value->prior);
		if (!value->erased)
			members[count++] = member_pair("written", value->written);
		pairs->key = string_or_null(value->column);
		pairs->value = object(members, count);
		pairs++;
	}
	return (struct varlena *) JsonbValueToJsonb(&all);
}
