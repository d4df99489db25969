/*
 * items_units.c — how many units of items a call takes or gives back
 */
#include "postgres.h"

#include "base/money.h"
#include "base/text.h"
#include "config/item_table.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/items_steps.h"
#include "lifecycle/lifecycle_items.h"
#include "rows/item_row.h"

static char *
units_text(Numeric units)
{
	return text_clip(money_text(units), 40);
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
	items_set_check(
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
	if (item->wanted == NULL)
		return;
	if (!money_is_positive(item->wanted) || numeric_is_nan(item->wanted) ||
		numeric_is_inf(item->wanted))
		items_set_check(
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
	if (!items_are_meant(c))
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
		items_set_check(c, ITEMS_NONE_LEFT,
						psprintf("%s; nothing is left to cancel.",
								 describe(item)));
	else if (item->wanted && money_compare(item->wanted, left) > 0)
		items_set_check(c, ITEMS_TOO_MANY,
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
	if (!any && c->item_table->amount && !items_are_meant(c))
		c->items_drop = int64_to_numeric(0);
}

/*
 * What the amounts rise by is recorded, since it need not be what they fell by.
 * But when no unit of an item is canceled any more, all that was due for it is
 * restored, whatever has become of its price meanwhile.
 */
void
items_give_back(CancelTarget *targets, int count)
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

/* Fills in what the decisions need, of targets whose items were read. */
void
items_take(CancelTarget *targets, int count)
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
