/*
 * item_args.c — reads the items that a call means
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/jsonb.h"
#include "utils/typcache.h"

#include "base/text.h"
#include "config/item_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/item_args.h"
#include "lifecycle/decision_input.h"
#include "rows/column_value.h"
#include "rows/key.h"
#include "rows/order_key.h"

#define EXAMPLE \
	"Pass an array of objects, such as [{\"item\": 7, \"quantity\": 2}]."

pg_noreturn static void
raise_invalid(char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid list of items"),
			 detail ? errdetail_internal("%s", detail) : 0, errhint(EXAMPLE)));
}

/* The text of a scalar; NULL if the value is another one. */
static char *
scalar_text(const JsonbValue *value)
{
	if (value->type == jbvString)
		return pnstrdup(value->val.string.val, value->val.string.len);
	if (value->type == jbvNumeric)
		return DatumGetCString(
			DirectFunctionCall1(numeric_out,
								NumericGetDatum(value->val.numeric)));
	return NULL;
}

static char *
string_member(const JsonbValue *value, const char *name)
{
	if (value->type == jbvNull)
		return NULL;
	if (value->type != jbvString)
		raise_invalid(psprintf("\"%s\" must be a string.", name));
	return scalar_text(value);
}

static Numeric
quantity_member(const JsonbValue *value)
{
	MemoryContext caller = CurrentMemoryContext;
	char		 *text = scalar_text(value);
	Numeric volatile quantity = NULL;

	if (value->type == jbvNull)
		return NULL;
	if (text == NULL)
		raise_invalid("\"quantity\" must be a number.");
	PG_TRY();
	{
		quantity = DatumGetNumeric(
			DirectFunctionCall3(numeric_in, CStringGetDatum(text),
								ObjectIdGetDatum(InvalidOid),
								Int32GetDatum(-1)));
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		if (ERRCODE_TO_CATEGORY(CopyErrorData()->sqlerrcode) !=
			ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION))
			PG_RE_THROW();
		FlushErrorState();
		raise_invalid(
			psprintf("Quantity \"%s\" is not a number.", text_clip(text, 80)));
	}
	PG_END_TRY();
	return quantity;
}

/* Reads the values of a key from a row as text, such as (42,1). */
static bool
key_of_row(const ItemTable *items, char *text, Datum *key)
{
	HeapTupleHeader row = DatumGetHeapTupleHeader(
		OidInputFunctionCall(F_RECORD_IN, text, RECORDOID,
							 items->key_desc->tdtypmod));
	HeapTupleData tuple = {0};
	bool		  isnull;

	tuple.t_len = HeapTupleHeaderGetDatumLength(row);
	tuple.t_data = row;
	for (int i = 0; i < items->nkeys; i++)
	{
		key[i] = heap_getattr(&tuple, i + 1, items->key_desc, &isnull);
		if (isnull)
			return false;
	}
	return true;
}

/*
 * If all but one column of the item's key hold the key of the order, that one
 * is enough: the number of the line.
 */
static bool
key_of_line(const CancelTarget *c, const char *text, Datum *key)
{
	const ItemTable *items = c->item_table;
	int				 given = 0;

	for (int i = 0; i < items->nkeys; i++)
	{
		int of_order = -1;

		for (int j = 0; j < c->table->nkeys; j++)
			if (items->order_keys[j].attnum == items->keys[i].attnum)
				of_order = j;
		if (of_order < 0 && given++ == 0)
			key[i] = column_from_text(&items->keys[i], text);
		else if (of_order >= 0)
			key[i] = column_from_value(&items->keys[i], c->key[of_order],
									   c->table->keys[of_order].type);
	}
	return given == 1;
}

static bool
key_of_array(const ItemTable *items, JsonbContainer *array, Datum *key)
{
	if (!JsonContainerIsArray(array) ||
		JsonContainerSize(array) != (uint32) items->nkeys)
		return false;
	for (int i = 0; i < items->nkeys; i++)
	{
		char *text = scalar_text(getIthJsonbValueFromContainer(array, i));

		if (text == NULL)
			return false;
		key[i] = column_from_text(&items->keys[i], text);
	}
	return true;
}

static bool
read_key(const CancelTarget *c, const JsonbValue *value, Datum *key)
{
	const ItemTable *items = c->item_table;
	char			*text = scalar_text(value);

	if (value->type == jbvBinary)
		return key_of_array(items, value->val.binary.data, key);
	if (text == NULL)
		return false;
	if (items->nkeys == 1)
	{
		key[0] = column_from_text(&items->keys[0], text);
		return true;
	}
	return text[0] == '(' ? key_of_row(items, text, key) :
							key_of_line(c, text, key);
}

static char *
value_text(const JsonbValue *value)
{
	char *text = scalar_text(value);

	if (text)
		return text;
	if (value->type == jbvBinary)
		return JsonbToCString(NULL, value->val.binary.data,
							  value->val.binary.len);
	return value->type == jbvNull ? "null" :
		value->val.boolean		  ? "true" :
									"false";
}

pg_noreturn static void
raise_no_key(const CancelTarget *c, const char *given, const char *why)
{
	Refusal refusal = {
		.condition = CONDITION_ITEMS_NOT_AVAILABLE,
		.sqlstate = condition_sqlstate(CONDITION_ITEMS_NOT_AVAILABLE),
		.message = psprintf("items of order %s of %s cannot be canceled",
							text_clip(c->key_text, 80), c->table->label),
		.detail = psprintf("%s is not a key of %s%s%s.", text_clip(given, 80),
						   c->item_table->label, why ? ": " : "",
						   why ? text_clip(why, 200) : ""),
		.hint = "Call ordcancel.item_options() to see what can be canceled.",
	};

	refusal_raise(&refusal);
}

/* An input function that rejects the value means that there is no such item. */
static void
read_item_key(const CancelTarget *c, const JsonbValue *value, ItemArg *item)
{
	MemoryContext	 caller = CurrentMemoryContext;
	const ItemTable *items = c->item_table;
	volatile bool	 fits = false;

	item->key = palloc0(items->nkeys * sizeof(Datum));
	PG_TRY();
	{
		fits = read_key(c, value, item->key);
	}
	PG_CATCH();
	{
		ErrorData *error;
		int		   category;

		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		category = ERRCODE_TO_CATEGORY(error->sqlerrcode);
		if (category != ERRCODE_TO_CATEGORY(ERRCODE_DATA_EXCEPTION) &&
			category !=
				ERRCODE_TO_CATEGORY(ERRCODE_INTEGRITY_CONSTRAINT_VIOLATION))
			PG_RE_THROW();
		FlushErrorState();
		raise_no_key(c, value_text(value), error->message);
	}
	PG_END_TRY();
	if (!fits)
		raise_no_key(c, value_text(value), NULL);
	item->key_text = key_text(items->keys, items->nkeys, items->key_desc,
							  items->key_has_format, item->key);
}

static ItemArg *
read_item(const CancelTarget *c, JsonbContainer *object)
{
	ItemArg		  *item = palloc0(sizeof(ItemArg));
	JsonbIterator *it = JsonbIteratorInit(object);
	JsonbValue	   name;
	JsonbValue	   value;

	(void) JsonbIteratorNext(&it, &name, true); /* its beginning */
	while (JsonbIteratorNext(&it, &name, true) == WJB_KEY)
	{
		char *member = pnstrdup(name.val.string.val, name.val.string.len);

		(void) JsonbIteratorNext(&it, &value, true);
		if (strcmp(member, "item") == 0)
			read_item_key(c, &value, item);
		else if (strcmp(member, "quantity") == 0)
			item->quantity = quantity_member(&value);
		else if (strcmp(member, "reason") == 0)
			item->reason = string_member(&value, member);
		else if (strcmp(member, "note") == 0)
			item->note = string_member(&value, member);
		else
			raise_invalid(
				psprintf("\"%s\" is not one of item, quantity, reason, note.",
						 text_clip(member, 80)));
	}
	if (item->key == NULL)
		raise_invalid("An object has no \"item\".");
	return item;
}

static int
compare_args(const void *a, const void *b, void *arg)
{
	const ItemTable *items = arg;
	const ItemArg	*x = lfirst((const ListCell *) a);
	const ItemArg	*y = lfirst((const ListCell *) b);

	return key_compare(items->keys, items->nkeys, x->key, y->key);
}

/* Sorts the arguments by key, and refuses repeated ones. */
static void
sort_distinct(CancelTarget *c)
{
	qsort_arg(c->item_args->elements, list_length(c->item_args),
			  sizeof(ListCell), compare_args, c->item_table);
	for (int i = 1; i < list_length(c->item_args); i++)
		if (compare_args(list_nth_cell(c->item_args, i - 1),
						 list_nth_cell(c->item_args, i), c->item_table) == 0)
			raise_invalid(psprintf(
				"Item %s is named twice.",
				text_clip(((ItemArg *) list_nth(c->item_args, i))->key_text,
						  80)));
}

static void
read_array(CancelTarget *c, JsonbContainer *array)
{
	if (!JsonContainerIsArray(array) || JsonContainerIsScalar(array) ||
		JsonContainerSize(array) == 0)
		raise_invalid(NULL);
	for (uint32 i = 0; i < JsonContainerSize(array); i++)
	{
		JsonbValue *element = getIthJsonbValueFromContainer(array, i);

		CHECK_FOR_INTERRUPTS();
		if (element->type != jbvBinary ||
			!JsonContainerIsObject(element->val.binary.data))
			raise_invalid("An element is not an object.");
		c->item_args = lappend(c->item_args,
							   read_item(c, element->val.binary.data));
	}
	sort_distinct(c);
}

/* Reasons of items must be valid for the call as its own would be. */
static void
check_reasons(const CancelTarget *c, CancelArgs *args)
{
	bool	  all = true;
	ListCell *lc;

	foreach(lc, c->item_args)
	{
		const ItemArg *item = lfirst(lc);
		CancelArgs	   own = *args;
		Refusal		   refusal;

		all &= item->reason != NULL;
		if (item->reason == NULL && item->note == NULL)
			continue;
		own.reason = item->reason ? item->reason : args->reason;
		own.note = item->note ? item->note : args->note;
		if (!decision_input_check_reason(&own, &refusal))
			refusal_raise(&refusal);
	}
	if (args->reason == NULL && all)
	{
		const ItemArg *first = linitial(c->item_args);

		args->reason = first->reason;
		if (args->note == NULL)
			args->note = first->note;
	}
}

void
item_args_read(CancelTarget *c, FunctionCallInfo fcinfo, int arg,
			   CancelArgs *args)
{
	RunAsScope scope;
	bool	   all_plain = true;

	c->item_table = item_table_open(c->table, RowExclusiveLock);
	if (c->item_table == NULL)
		refusal_raise_invalid_policy(
			psprintf("no items are attached to order table %s",
					 c->table->label),
			NULL, "Call ordcancel.attach_items() for the table of its items.");
	if (PG_ARGISNULL(arg))
		raise_invalid("It is null.");
	c->key_text = order_key_text(c->table, c->key);

	/* Input functions of domains may be code of the owner. */
	for (int i = 0; i < c->item_table->nkeys; i++)
		all_plain &= c->item_table->keys[i].input_is_plain;
	if (!all_plain)
		run_as_owner_restricted(&scope, c->table);
	read_array(c, &PG_GETARG_JSONB_P(arg)->root);
	if (!all_plain)
		run_as_end(&scope);
	check_reasons(c, args);
}
