/*
 * item_row.c — the units of an item
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "utils/builtins.h"

#include "base/money.h"
#include "base/text.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/item_row.h"
#include "rows/key.h"

Numeric
item_units(const ItemTable *items, const Column *column, Datum value,
		   bool isnull)
{
	Numeric units;

	if (isnull)
		return int64_to_numeric(0);
	switch (column->base)
	{
		case INT2OID:
			return int64_to_numeric(DatumGetInt16(value));
		case INT4OID:
			return int64_to_numeric(DatumGetInt32(value));
		case INT8OID:
			return int64_to_numeric(DatumGetInt64(value));
		case NUMERICOID:
			units = DatumGetNumericCopy(value);
			if (!numeric_is_nan(units) && !numeric_is_inf(units))
				return units;
			break;
	}
	refusal_raise_invalid_policy(
		psprintf("column \"%s\" of %s does not count units", column->name,
				 items->label),
		column->base == NUMERICOID ?
			"A value in it is not a finite number." :
			psprintf("Its type is %s.", format_type_be(column->type)),
		"Correct it, or call ordcancel.attach_items() for another column.");
}

static void
key_from_tuple(const ItemTable *items, HeapTuple row, TupleDesc desc,
			   Datum *key)
{
	bool isnull;

	for (int i = 0; i < items->nkeys; i++)
		key[i] = heap_getattr(row, items->keys[i].attnum, desc, &isnull);
}

void
item_from_tuple(const ItemTable *items, ItemTarget *item, HeapTuple row)
{
	TupleDesc desc = items->desc;
	Datum	  key[INDEX_MAX_KEYS];
	Datum	  value;
	bool	  isnull;

	item->row = row;
	key_from_tuple(items, row, desc, key);
	item->key = key_copy(items->keys, items->nkeys, key);
	item->key_text = key_text(items->keys, items->nkeys, items->key_desc,
							  items->key_has_format, item->key);
	if (items->fulfilled_column.attnum)
	{
		value = heap_getattr(row, items->fulfilled_column.attnum, desc,
							 &isnull);
		item->fulfilled = item_units(items, &items->fulfilled_column, value,
									 isnull);
		if (!money_is_positive(item->fulfilled))
			item->fulfilled = int64_to_numeric(0);
	}
	item->ordered = int64_to_numeric(1);
	if (items->quantity.attnum)
	{
		value = heap_getattr(row, items->quantity.attnum, desc, &isnull);
		item->ordered = item_units(items, &items->quantity, value, isnull);
	}
	if (items->canceled.attnum)
	{
		value = heap_getattr(row, items->canceled.attnum, desc, &isnull);
		item->canceled = item_units(items, &items->canceled, value, isnull);
		return;
	}
	value = heap_getattr(row, items->status.attnum, desc, &isnull);
	item->status = isnull ? NULL : column_to_text(&items->status, value);
	item->canceled = equal_and_not_null(item->status, items->canceled_status) ?
		item->ordered :
		int64_to_numeric(0);
}

Numeric
item_not_canceled(const ItemTarget *item)
{
	return money_subtract(item->ordered, item->canceled);
}

Numeric
item_left(const ItemTarget *item)
{
	Numeric left = item_not_canceled(item);

	return item->fulfilled ? money_subtract(left, item->fulfilled) : left;
}

/* A column of another integer or text type is converted. */
bool
item_order_key(const ItemTable *items, HeapTuple row, Datum *key)
{
	for (int i = 0; i < items->orders->nkeys; i++)
	{
		const Column *column = &items->order_keys[i];
		const Column *wanted = &items->orders->keys[i];
		bool		  isnull;
		Datum value = heap_getattr(row, column->attnum, items->desc, &isnull);

		if (isnull)
			return false;
		key[i] = column->type == wanted->type ?
			value :
			column_from_text(wanted, column_to_text(column, value));
	}
	return true;
}

bool
item_key_is_integer(const ItemTable *items)
{
	return items->nkeys == 1 &&
		(items->keys[0].base == INT2OID || items->keys[0].base == INT4OID ||
		 items->keys[0].base == INT8OID);
}
