/*
 * lifecycle_items.c — the items of orders on their way through a call
 */
#include "postgres.h"

#include "utils/builtins.h"
#include "utils/snapmgr.h"

#include "base/money.h"
#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/item_table.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle_items.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/record.h"

static bool
is_zero(Numeric number)
{
	return money_compare(number, int64_to_numeric(0)) == 0;
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

static ItemTarget *
find_item(const CancelTarget *c, const Datum *key)
{
	const ItemTable *items = c->item_table;
	ListCell		*lc;

	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		if (key_compare(items->keys, items->nkeys, item->key, key) == 0)
			return item;
	}
	return NULL;
}

static void
mean_item(CancelTarget *c, const Datum *key, const char *key_text,
		  Numeric wanted, const char *reason, const char *note, bool recorded,
		  const ItemArg *arg)
{
	ItemTarget *item = find_item(c, key);

	if (item == NULL)
	{
		set_check(c, ITEMS_UNKNOWN,
				  psprintf("The order has no item %s.",
						   text_clip(key_text, 80)));
		return;
	}
	item->meant = true;
	item->arg = arg;
	item->recorded = recorded;
	item->wanted = wanted;
	item->reason = reason;
	item->note = note;
}

static void
mean_recorded(CancelTarget *c)
{
	ListCell *lc;

	foreach(lc, record_items_of(c, c->record.id, READ_CURRENT))
	{
		const RecordItem *r = lfirst(lc);

		mean_item(c, r->key, r->item_key, r->quantity, r->reason, r->note,
				  true, NULL);
	}
}

/* All items of which units are left, or fulfilled. */
static void
mean_all(CancelTarget *c)
{
	ListCell *lc;

	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		item->meant = money_is_positive(item_not_canceled(item));
	}
}

/* The units that the cancellation took, where the items are still there. */
static void
mean_given_back(CancelTarget *c)
{
	ListCell *lc;

	foreach(lc, record_items_of(c, c->record.id, READ_CURRENT))
	{
		const RecordItem *r = lfirst(lc);
		ItemTarget		 *item = find_item(c, r->key);

		if (item == NULL)
			continue;
		item->meant = item->to_lock = item->recorded = true;
		item->wanted = r->quantity;
		item->prior_status = r->prior_status;
	}
}

/* Would nothing of the order be left if the items that are meant are taken? */
static bool
could_take_all(const CancelTarget *c)
{
	ListCell *lc;

	foreach(lc, c->items)
	{
		const ItemTarget *item = lfirst(lc);

		if (!item->meant && !is_zero(item_not_canceled(item)))
			return false;
	}
	return true;
}

/*
 * If nothing would be left, the order itself is canceled.  Then the units of
 * its other items must not change either.
 */
static void
mark_to_lock(CancelTarget *c)
{
	bool	  all = could_take_all(c);
	ListCell *lc;

	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);

		item->to_lock |= item->meant || all;
	}
}

static bool
is_of_items(const CancelTarget *c)
{
	return c->input.live == STATE_REQUESTED ? c->record.items :
											  verb_traits[c->input.verb].items;
}

static void
mean_items(CancelTarget *c)
{
	ListCell *lc;

	if (c->input.verb == VERB_UNDO_CANCEL)
		mean_given_back(c);
	else if (!is_of_items(c))
		mean_all(c);
	else if (c->input.live == STATE_REQUESTED)
		mean_recorded(c);
	else
		foreach(lc, c->item_args)
		{
			const ItemArg *arg = lfirst(lc);

			mean_item(c, arg->key, arg->key_text, arg->quantity, arg->reason,
					  arg->note, false, arg);
		}
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
					text_clip(item->key_text, 80), money_text(item->ordered),
					money_text(item->fulfilled), money_text(item->canceled));
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
					 text_clip(item->key_text, 80), money_text(item->wanted)));
	else if (money_compare(item->wanted, item_left(item)) > 0)
		item->take = NULL; /* reported with what is fulfilled */
	else if (!item_take_fits(c->item_table, item, item->wanted))
		set_check(
			c, ITEMS_QUANTITY,
			psprintf(
				"%s of item %s cannot be canceled: its units are not counted so.",
				money_text(item->wanted), text_clip(item->key_text, 80)));
	else
		item->take = item->wanted;
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
						   money_text(item->wanted)));
	else if (item->take == NULL && c->items_check == ITEMS_AVAILABLE)
		item->take = item->wanted ? item->wanted : left;
	if (c->item_table->status.attnum && item->take &&
		c->items_check == ITEMS_AVAILABLE &&
		!item_take_fits(c->item_table, item, item->take))
		set_check(c, ITEMS_QUANTITY,
				  psprintf("Item %s can only be canceled as a whole.",
						   text_clip(item->key_text, 80)));
}

static void
sum_up(CancelTarget *c)
{
	ListCell *lc;
	bool	  any = false;

	c->items_all = true;
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

static void
give_back(CancelTarget *c)
{
	ListCell *lc;

	foreach(lc, c->items)
	{
		ItemTarget *item = lfirst(lc);
		Numeric		units = item->wanted;

		if (!item->meant)
			continue;
		if (money_compare(units, item->canceled) > 0)
			units = item->canceled;
		item->take = money_subtract(int64_to_numeric(0), units);
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

		if (item->arg &&
			!args->item_matches(c, item, item->arg, args->matches_arg))
			item->meant = false;
		any |= item->meant;
	}
	if (!any && c->items_check == ITEMS_AVAILABLE)
		c->result = TARGET_SKIPPED;
}

static void
read_and_lock(CancelTarget *c, const CancelArgs *args, bool preview)
{
	int before;

	c->item_table = item_table_open(c->table,
									preview ? AccessShareLock :
											  RowExclusiveLock);
	item_read(c, preview ? READ_CALLER : READ_CURRENT);
	mean_items(c);
	before = list_length(c->items);
	if (!preview && c->items_check == ITEMS_AVAILABLE)
	{
		mark_to_lock(c);
		item_lock(c);
		if (args->item_matches)
			leave_out_unmatched(c, args);
		else
			check_still_there(c, before);
	}
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

/* Does the call mean the items of the open request? */
static bool
means_requested(const CancelTarget *c)
{
	List	 *recorded;
	ListCell *a;
	ListCell *r;

	if (c->input.live != STATE_REQUESTED || !c->record.items)
		return false;
	recorded = record_items_of(c, c->record.id, READ_CURRENT);
	if (list_length(recorded) != list_length(c->item_args))
		return false;
	foreach(a, c->item_args)
	{
		const ItemArg *arg = lfirst(a);
		bool		   same = false;

		foreach(r, recorded)
		{
			const RecordItem *item = lfirst(r);

			same |= strcmp(item->item_key, arg->key_text) == 0 &&
				(arg->quantity == NULL ||
				 money_compare(arg->quantity, item->quantity) == 0);
		}
		if (!same)
			return false;
	}
	return true;
}

static void
reset(CancelTarget *c)
{
	c->items = NIL;
	c->items_known = false;
	c->items_check = ITEMS_AVAILABLE;
	c->items_detail = NULL;
	c->items_fulfilled = c->items_all = false;
	c->items_drop = NULL;
}

void
lifecycle_items(CancelTarget *targets, int count, const CancelArgs *args,
				bool preview)
{
	if (count == 0 || !OidIsValid(targets[0].table->items))
		return;
	read_snapshot_push(preview ? READ_CALLER : READ_CURRENT);
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		reset(c);
		if (c->result != TARGET_OPEN)
			continue;
		c->items_same = verb_traits[args->verb].items && means_requested(c);
		decision_input_add_items(c);
		if (!decision_needs_items(&c->input))
			continue;
		read_and_lock(c, args, preview);
		if (args->verb == VERB_UNDO_CANCEL)
		{
			give_back(c);
			c->items_known = false; /* nothing is to be evaluated */
		}
	}
	if (args->verb != VERB_UNDO_CANCEL)
		evaluate(targets, count);
	PopActiveSnapshot();
}

void
lifecycle_items_change(CancelTarget *c, const CancelArgs *args, const char *to,
					   StatusKind kind)
{
	DecisionInput input;

	if (!OidIsValid(c->table->items))
		return;
	reset(c);
	decision_input_add_items(c);
	if (!decision_change_needs_items(&c->input, to, kind))
		return;

	/* As the verb that the change will turn out to be. */
	input = c->input;
	c->input.verb = VERB_CANCEL_ORDER;
	read_snapshot_push(READ_CURRENT);
	read_and_lock(c, args, false);
	evaluate(c, 1);
	PopActiveSnapshot();
	c->input.verb = input.verb;
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
	ListCell *lc;

	reset(c);
	c->item_table = item_table_open(c->table, AccessShareLock);
	if (c->item_table == NULL)
		return;
	item_read(c, snapshot);
	foreach(lc, c->items)
		((ItemTarget *) lfirst(lc))->meant = true;
	item_expr_evaluate(c, 1);
}
