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
#include "lifecycle/items_steps.h"
#include "lifecycle/lifecycle_items.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/record.h"

/* Items of another order, or gone while we waited for their locks. */
static void
check_still_there(CancelTarget *c, int before)
{
	if (list_length(c->items) < before && items_are_meant(c))
		items_set_check(c, ITEMS_UNKNOWN,
						"An item was deleted or moved to another order.");
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

	items_read(reader, c);
	before = list_length(c->items);
	if (preview || c->items_check != ITEMS_AVAILABLE)
		return;
	item_lock(reader, c);
	if (args->item_matches)
		leave_out_unmatched(c, args);
	else
		check_still_there(c, before);
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
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		reset(c);
		if (c->result != TARGET_OPEN)
			continue;
		c->items_same = verb_traits[args->verb].items &&
			items_are_requested(c);
		decision_input_add_items(c);
		if (!decision_needs_items(&c->input))
			continue;
		if (reader.items == NULL)
			item_reader_begin(&reader,
							  open_items(c->table,
										 preview ? AccessShareLock :
												   RowExclusiveLock),
							  snapshot);
		c->item_table = reader.items;
		read_and_lock(&reader, c, args, preview);
	}
	if (reader.items)
		item_reader_end(&reader);
	if (args->verb == VERB_UNDO_CANCEL)
		items_give_back(targets, count);
	else
		items_take(targets, count);
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
	decision_input_add_items(c);
	if (!decision_change_needs_items(&c->input, to, kind))
		return;
	c->item_table = open_items(c->table, RowExclusiveLock);

	/* As the verb that the change will turn out to be. */
	c->input.verb = decision_reopens(&c->input, to, kind) ? VERB_UNDO_CANCEL :
															VERB_CANCEL_ORDER;
	item_reader_begin(&reader, c->item_table, READ_CURRENT);
	read_and_lock(&reader, c, args, false);
	item_reader_end(&reader);
	if (c->input.verb == VERB_UNDO_CANCEL)
		items_give_back(c, 1);
	else
		items_take(c, 1);
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
