/*
 * lifecycle_items.c — the items of orders on their way through a call
 */
#include "postgres.h"

#include "miscadmin.h"
#include "utils/builtins.h"

#include "base/money.h"
#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/item_table.h"
#include "decision/refusal.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle_items.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/record.h"

static char *
units_text(Numeric units)
{
	return text_clip(money_text(units), 40);
}

/* The cause is the first item that is not available. */
static void
set_check(CancelTarget *c, ItemsCheck check, char *detail)
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
		set_check(c, ITEMS_UNKNOWN,
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

static bool
is_of_items(const CancelTarget *c)
{
	return c->input.live == STATE_REQUESTED ? c->record.items :
											  verb_traits[c->input.verb].items;
}

static void
read_items(ItemReader *reader, CancelTarget *c)
{
	if (c->input.verb == VERB_UNDO_CANCEL)
		mean_given_back(reader, c);
	else if (!is_of_items(c))
		mean_all(reader, c);
	else if (c->input.live == STATE_REQUESTED)
		mean_items(reader, c, recorded_as_given(c), true);
	else
		mean_items(reader, c, c->item_args, false);
}

/* Items of another order, or gone while we waited for their locks. */
static void
check_still_there(CancelTarget *c, int before)
{
	if (list_length(c->items) < before && is_of_items(c) &&
		c->input.verb != VERB_UNDO_CANCEL)
		set_check(c, ITEMS_UNKNOWN,
				  "An item was deleted or moved to another order.");
}

static char *
describe(const ItemTarget *item)
{
	return psprintf("Of item %s, %s are ordered, %s fulfilled and %s canceled",
					text_clip(item->key_text, 80), units_text(item->ordered),
					units_text(item->fulfilled), units_text(item->canceled));
}

/* Can the item be written with these units? */
static void
check_take(CancelTarget *c, const ItemTarget *item)
{
	if (item->take == NULL || c->items_check != ITEMS_AVAILABLE ||
		item_take_fits(c->item_table, item, item->take))
		return;
	set_check(
		c, ITEMS_QUANTITY,
		c->item_table->status.attnum ?
			psprintf("Item %s can only be canceled as a whole.",
					 text_clip(item->key_text, 80)) :
			psprintf(
				"%s of item %s cannot be canceled: column \"%s\" of %s cannot hold it.",
				units_text(item->take), text_clip(item->key_text, 80),
				c->item_table->canceled.name, c->item_table->label));
}

/* Checks what does not depend on expressions, so that they are not run. */
static void
check_wanted(CancelTarget *c, ItemTarget *item)
{
	if (item->wanted == NULL || c->input.verb == VERB_UNDO_CANCEL)
		return;
	if (!money_is_positive(item->wanted) || numeric_is_nan(item->wanted) ||
		numeric_is_inf(item->wanted))
		set_check(
			c, ITEMS_QUANTITY,
			psprintf("The quantity of item %s is %s, which is not positive.",
					 text_clip(item->key_text, 80), units_text(item->wanted)));
	else if (money_compare(item->wanted, item_left(item)) > 0)
		item->take = NULL; /* reported with what is fulfilled */
	else
	{
		item->take = item->wanted;
		check_take(c, item);
	}
}

static void
check_left(CancelTarget *c, ItemTarget *item)
{
	Numeric left = item_left(item);

	c->items_fulfilled |= money_is_positive(item->fulfilled);
	if (!is_of_items(c))
	{
		if (c->items_fulfilled && c->items_detail == NULL)
			c->items_detail = psprintf("%s.", describe(item));
		item->take = money_is_positive(left) ? left : NULL;
		item->meant = item->take != NULL;
		check_take(c, item);
		return;
	}
	if (!money_is_positive(left) && item->arg && item->arg->if_any)
	{
		item->meant = false;
		c->items_detail = psprintf("%s; nothing is left to cancel.",
								   describe(item));
	}
	else if (!money_is_positive(left))
		set_check(c, ITEMS_NONE_LEFT,
				  psprintf("%s; nothing is left to cancel.", describe(item)));
	else if (item->wanted && money_compare(item->wanted, left) > 0)
		set_check(c, ITEMS_TOO_MANY,
				  psprintf("%s; %s cannot be canceled.", describe(item),
						   units_text(item->wanted)));
	else if (item->take == NULL && c->items_check == ITEMS_AVAILABLE)
		item->take = item->wanted ? item->wanted : left;
	check_take(c, item);
}

static void
sum_up(CancelTarget *c)
{
	ListCell *lc;
	bool	  any = false;

	c->items_all = !c->items_others;
	c->items_drop = NULL;
	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);
		Numeric		left = item_not_canceled(item);

		if (item->meant && item->take)
		{
			left = money_subtract(left, item->take);
			any = true;
			if (c->item_table->status.attnum)
				item->prior_status = item->status;
			if (item->drop)
				c->items_drop = c->items_drop ?
					money_add(c->items_drop, item->drop) :
					item->drop;
		}
		c->items_all &= !money_is_positive(left);
	}
	if (!any && c->items_check == ITEMS_AVAILABLE)
		c->items_check = ITEMS_NONE_LEFT;
	if (!any && c->item_table->amount && !is_of_items(c))
		c->items_drop = int64_to_numeric(0);
}

/*
 * What the amounts rise by is recorded, since it need not be what they fell by.
 * But when no unit of an item is canceled any more, all that was due for it is
 * restored, whatever has become of its price meanwhile.
 */
static void
give_back(CancelTarget *targets, int count)
{
	ListCell *lc;

	for (int i = 0; i < count; i++)
		foreach(lc, targets[i].items)
		{
			ItemTarget *item = lfirst(lc);
			Numeric		units = item->wanted;

			if (!item->meant)
				continue;
			if (money_compare(units, item->canceled) > 0)
				units = item->canceled;
			item->take = money_negative(units);
		}
	item_expr_evaluate(targets, count);
	for (int i = 0; i < count; i++)
	{
		List *undone = targets[i].items && targets[i].undone ?
			lifecycle_undone_items(&targets[i]) :
			NIL;

		foreach(lc, targets[i].items)
		{
			ItemTarget *item = lfirst(lc);

			if (!item->meant || item->due == NULL ||
				money_is_positive(money_add(item->canceled, item->take)))
				continue;
			item->drop = money_negative(
				money_add(item->due,
						  lifecycle_undone_rest(undone, item->key_text)));
		}
	}
}

/* Leaves out items that no longer meet the condition of a batch. */
static void
leave_out_unmatched(CancelTarget *c, const CancelArgs *args)
{
	bool	  any = false;
	ListCell *lc;

	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		if (item->meant &&
			!args->item_matches(c, item, item->arg, args->matches_arg))
			item->meant = false;
		any |= item->meant;
	}
	if (!any && c->items_check == ITEMS_AVAILABLE)
		c->result = TARGET_SKIPPED;
}

static void
read_and_lock(ItemReader *reader, CancelTarget *c, const CancelArgs *args,
			  bool preview)
{
	int before;

	read_items(reader, c);
	before = list_length(c->items);
	if (preview || c->items_check != ITEMS_AVAILABLE)
		return;
	item_lock(reader, c);
	if (args->item_matches)
		leave_out_unmatched(c, args);
	else
		check_still_there(c, before);
}

/* Fills in what the decisions need, of targets whose items were read. */
static void
evaluate(CancelTarget *targets, int count)
{
	ListCell *lc;

	for (int i = 0; i < count; i++)
		foreach(lc, targets[i].items)
			if (((ItemTarget *) lfirst(lc))->meant)
				check_wanted(&targets[i], lfirst(lc));
	item_expr_evaluate(targets, count);
	for (int i = 0; i < count; i++)
		foreach(lc, targets[i].items)
			if (((ItemTarget *) lfirst(lc))->meant)
				check_left(&targets[i], lfirst(lc));
	item_expr_evaluate(targets, count);
	for (int i = 0; i < count; i++)
		if (targets[i].items_known)
		{
			sum_up(&targets[i]);
			decision_input_add_items(&targets[i]);
		}
}

static int
compare_recorded(const void *a, const void *b, void *arg)
{
	const ItemTable	 *items = arg;
	const RecordItem *x = lfirst((const ListCell *) a);
	const RecordItem *y = lfirst((const ListCell *) b);

	return key_compare(items->keys, items->nkeys, x->key, y->key);
}

/*
 * Does the call mean the items of the open request?  Without a quantity it
 * means all that can be canceled.  The arguments are sorted by key.
 */
static bool
means_requested(const CancelTarget *c)
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

static void
reset(CancelTarget *c)
{
	c->items = NIL;
	c->items_known = c->items_others = false;
	c->items_check = ITEMS_AVAILABLE;
	c->items_detail = NULL;
	c->items_fulfilled = c->items_all = false;
	c->items_drop = NULL;
}

/* Code of the owner may have detached them during the call. */
static ItemTable *
open_items(OrderTable *table, LOCKMODE lock)
{
	ItemTable *items = item_table_open(table, lock);

	if (items == NULL)
		refusal_raise_invalid_policy(
			psprintf(
				"the items of order table %s were detached during the call",
				table->label),
			NULL, NULL);
	return items;
}

/* A request for items cannot be accepted once they are detached. */
static void
check_attached(const CancelTarget *c)
{
	if (c->result == TARGET_OPEN && c->input.part &&
		c->input.live == STATE_REQUESTED && decision_needs_items(&c->input))
		refusal_raise_invalid_policy(
			psprintf("no items are attached to order table %s",
					 c->table->label),
			psprintf("A request to cancel items of order %s is open.",
					 text_clip(c->key_text, 80)),
			"Call ordcancel.attach_items() again, or deny the request.");
}

void
lifecycle_items(CancelTarget *targets, int count, const CancelArgs *args,
				bool preview)
{
	ReadSnapshot snapshot = preview ? READ_CALLER : READ_CURRENT;
	ItemReader	 reader = {0};
	ItemTable	*items;

	/* Other steps do not fail if something is wrong with the items. */
	if (count == 0 ||
		(!verb_traits[args->verb].accepts && args->verb != VERB_UNDO_CANCEL))
		return;
	if (!OidIsValid(targets[0].table->items))
	{
		for (int i = 0; i < count; i++)
			check_attached(&targets[i]);
		return;
	}
	items = open_items(targets[0].table,
					   preview ? AccessShareLock : RowExclusiveLock);
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		reset(c);
		if (c->result != TARGET_OPEN)
			continue;
		c->item_table = items;
		c->items_same = verb_traits[args->verb].items && means_requested(c);
		decision_input_add_items(c);
		if (!decision_needs_items(&c->input))
			continue;
		if (reader.items == NULL)
			item_reader_begin(&reader, items, snapshot);
		read_and_lock(&reader, c, args, preview);
	}
	if (reader.items)
		item_reader_end(&reader);
	if (args->verb == VERB_UNDO_CANCEL)
		give_back(targets, count);
	else
		evaluate(targets, count);
}

void
lifecycle_items_change(CancelTarget *c, const CancelArgs *args, const char *to,
					   StatusKind kind)
{
	Verb	   verb = c->input.verb;
	ItemReader reader;

	if (!OidIsValid(c->table->items))
		return;
	reset(c);
	c->item_table = open_items(c->table, RowExclusiveLock);
	decision_input_add_items(c);
	if (!decision_change_needs_items(&c->input, to, kind))
		return;

	/* As the verb that the change will turn out to be. */
	c->input.verb = VERB_CANCEL_ORDER;
	item_reader_begin(&reader, c->item_table, READ_CURRENT);
	read_and_lock(&reader, c, args, false);
	item_reader_end(&reader);
	evaluate(c, 1);
	c->input.verb = verb;
}

void
lifecycle_items_check(CancelTarget *c, const CancelArgs *args)
{
	ListCell *lc;

	if (!OidIsValid(c->table->items))
		return;
	if (!verb_traits[args->verb].items)
	{
		lifecycle_items(c, 1, args, true);
		return;
	}

	if (c->input.live == STATE_REQUESTED && c->record.items)
	{
		CancelArgs confirm = *args;

		confirm.verb = VERB_ACCEPT_CANCEL; /* the items that are requested */
		lifecycle_items(c, 1, &confirm, true);
		c->items_same = true;
		decision_input_add_items(c);
		return;
	}

	/* Which items are meant is not known: is there any? */
	lifecycle_items_peek(c, READ_CALLER);
	c->items_same = true;
	c->items_check = ITEMS_NONE_LEFT;
	foreach(lc, c->items)
		if (money_is_positive(item_left(lfirst(lc))))
			c->items_check = ITEMS_AVAILABLE;
	decision_input_add_items(c);
	c->items = NIL;
}

void
lifecycle_items_peek(CancelTarget *c, ReadSnapshot snapshot)
{
	ItemReader reader;
	ListCell  *lc;

	reset(c);
	c->item_table = item_table_open(c->table, AccessShareLock);
	if (c->item_table == NULL)
		return;
	item_reader_begin(&reader, c->item_table, snapshot);
	item_read_all(&reader, c);
	item_reader_end(&reader);
	foreach(lc, c->items)
		((ItemTarget *) lfirst(lc))->meant = true;
	item_expr_evaluate(c, 1);
}
