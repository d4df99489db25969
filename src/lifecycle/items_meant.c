/*
 * items_meant.c — which items of an order a call means
 */
#include "postgres.h"

#include "miscadmin.h"

#include "base/money.h"
#include "base/text.h"
#include "config/item_table.h"
#include "lifecycle/items_steps.h"
#include "lifecycle/lifecycle_items.h"
#include "rows/key.h"
#include "rows/record.h"

void
items_set_check(CancelTarget *c, ItemsCheck check, char *detail)
{
	if (c->items_check != ITEMS_AVAILABLE)
		return;
	c->items_check = check;
	c->items_detail = detail;
}

static void
mean_item(ItemReader *reader, CancelTarget *c, const ItemArg *given,
		  bool recorded, bool all)
{
	ItemTarget *item = all ? item_find(c, given->key) :
							 item_read_one(reader, c, given);

	CHECK_FOR_INTERRUPTS();
	if (item == NULL)
	{
		items_set_check(c, ITEMS_UNKNOWN,
						psprintf("The order has no item %s.",
								 text_clip(given->key_text, 80)));
		return;
	}
	item->meant = item->to_lock = true;
	item->arg = given;
	item->recorded = recorded;
	item->wanted = given->quantity;
	item->reason = given->reason;
	item->note = given->note;
}

/*
 * Reads the items that are meant.  Of the others it only matters whether any
 * units are left.  If not, the order itself is canceled, and the units of its
 * other items must not change either.
 */
static void
mean_items(ItemReader *reader, CancelTarget *c, List *given, bool recorded)
{
	bool	  others = false;
	ListCell *lc;

	c->items = NIL;
	c->items_known = true;
	if (!reader->by_index)
		item_read_all(reader, c);
	foreach(lc, given)
	{
		mean_item(reader, c, lfirst(lc), recorded, !reader->by_index);
	}
	if (reader->by_index)
	{
		item_sort(c);
		others = item_read_others_left(reader, c);
	}
	else
		foreach(lc, c->items)
		{
			const ItemTarget *item = lfirst(lc);

			others |= !item->meant &&
				money_is_positive(item_not_canceled(item));
		}
	c->items_others = others;
	if (!others && reader->by_index)
	{
		item_read_all(reader, c);
		foreach(lc, given)
		{
			mean_item(reader, c, lfirst(lc), recorded, true);
		}
	}
	foreach(lc, c->items)
		((ItemTarget *) lfirst(lc))->to_lock |= !others;
}

/* Items of a record, as if a call had named them. */
static List *
recorded_as_given(const CancelTarget *c)
{
	List	 *given = NIL;
	ListCell *lc;

	foreach(lc, record_items_of(c, c->record.id, READ_CURRENT))
	{
		const RecordItem *r = lfirst(lc);
		ItemArg			 *arg = palloc0(sizeof(ItemArg));

		arg->key = r->key;
		arg->key_text = r->item_key;
		arg->quantity = r->quantity;
		arg->reason = r->reason;
		arg->note = r->note;
		given = lappend(given, arg);
	}
	return given;
}

/* All items of which units are left, or fulfilled. */
static void
mean_all(ItemReader *reader, CancelTarget *c)
{
	ListCell *lc;

	item_read_all(reader, c);
	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		item->meant = money_is_positive(item_not_canceled(item));
		item->to_lock = true;
	}
}

/* The units that the cancellation took, where the items are still there. */
static void
mean_given_back(ItemReader *reader, CancelTarget *c)
{
	ListCell *lc;

	item_read_all(reader, c);
	foreach(lc, record_items_of(c, c->record.id, READ_CURRENT))
	{
		const RecordItem *r = lfirst(lc);
		ItemTarget		 *item = item_find(c, r->key);

		if (item == NULL)
			continue;
		item->meant = item->to_lock = item->recorded = true;
		item->wanted = r->quantity;
		item->due = r->refund_due;
		item->prior_status = r->prior_status;
		item->reason = r->reason;
		item->note = r->note;
	}
}

bool
items_are_meant(const CancelTarget *c)
{
	return c->input.live == STATE_REQUESTED ? c->record.items :
											  verb_traits[c->input.verb].items;
}

void
items_read(ItemReader *reader, CancelTarget *c)
{
	if (c->input.verb == VERB_UNDO_CANCEL)
		mean_given_back(reader, c);
	else if (!items_are_meant(c))
		mean_all(reader, c);
	else if (c->input.live == STATE_REQUESTED)
		mean_items(reader, c, recorded_as_given(c), true);
	else
		mean_items(reader, c, c->item_args, false);
}

static int
compare_recorded(const void *a, const void *b, void *arg)
{
	const ItemTable	 *items = arg;
	const RecordItem *x = lfirst((const ListCell *) a);
	const RecordItem *y = lfirst((const ListCell *) b);

	return key_compare(items->keys, items->nkeys, x->key, y->key);
}

bool
items_are_requested(const CancelTarget *c)
{
	ItemTable	*items = c->item_table;
	CancelTarget order = *c;
	List		*recorded;
	ListCell	*a;
	ListCell	*r;

	if (c->input.live != STATE_REQUESTED || !c->record.items)
		return false;
	recorded = record_items_of(c, c->record.id, READ_CURRENT);
	if (list_length(recorded) != list_length(c->item_args) || recorded == NIL)
		return false;
	qsort_arg(recorded->elements, list_length(recorded), sizeof(ListCell),
			  compare_recorded, items);
	lifecycle_items_peek(&order, READ_CURRENT);
	forboth(a, c->item_args, r, recorded)
	{
		const ItemArg	 *given = lfirst(a);
		const RecordItem *item = lfirst(r);
		Numeric			  quantity = given->quantity;
		const ItemTarget *now = item_find(&order, given->key);

		if (quantity == NULL && now)
			quantity = item_left(now);
		if (key_compare(items->keys, items->nkeys, given->key, item->key) !=
				0 ||
			quantity == NULL || money_compare(quantity, item->quantity) != 0)
			return false;
	}
	return true;
}
