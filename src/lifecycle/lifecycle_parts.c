/*
 * lifecycle_parts.c — which of an order's cancellations a call means
 */
#include "postgres.h"

#include "base/money.h"
#include "base/text.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/decision_money.h"
#include "lifecycle/lifecycle_items.h"
#include "lifecycle/lifecycle_steps.h"
#include "rows/record.h"

/* Could this call mean the cancellation? */
static bool
could_mean(Verb verb, const Cancellation *r)
{
	switch (verb)
	{
		case VERB_UNDO_CANCEL:
			return state_is_live(r->state);
		case VERB_ADJUST_REFUND:
			return state_is_live(r->state) && r->state != STATE_REQUESTED;
		case VERB_RECORD_REFUND:
			return decision_money_is_due(r);
		default:
			return false;
	}
}

/*
 * Accepting again what was accepted changes nothing: the newest cancellation
 * may be a part that was requested before.
 */
static void
choose_accepted(CancelTarget *c)
{
	const Cancellation *newest = c->parts ? llast(c->parts) : NULL;

	if (newest && !(c->has_record && state_is_live(c->record.state)) &&
		c->record.id <= newest->id &&
		newest->decided_by != newest->requested_by)
	{
		c->record = *newest;
		c->has_record = true;
	}
}

static char *
list_ids(const CancelTarget *c, Verb verb)
{
	StringInfoData ids;
	ListCell	  *lc;

	initStringInfo(&ids);
	foreach(lc, c->parts)
	{
		const Cancellation *part = lfirst(lc);

		if (could_mean(verb, part))
			appendStringInfo(&ids, "%s" INT64_FORMAT, ids.len ? ", " : "",
							 part->id);
	}
	if (c->has_record && could_mean(verb, &c->record))
		appendStringInfo(&ids, "%s" INT64_FORMAT, ids.len ? ", " : "",
						 c->record.id);
	return text_clip(ids.data, 200);
}

/*
 * Undo and adjust_refund mean the cancellation of the order itself, if there
 * is one in effect: its parts cannot be undone before it.
 */
static void
choose(CancelTarget *c, Verb verb)
{
	Cancellation *only = NULL;
	int			  count = 0;
	ListCell	 *lc;

	if ((verb == VERB_UNDO_CANCEL || verb == VERB_ADJUST_REFUND) && c->closed)
		return;
	foreach(lc, c->parts)
	{
		Cancellation *part = lfirst(lc);

		if (could_mean(verb, part))
		{
			only = part;
			count++;
		}
	}
	if (c->has_record && could_mean(verb, &c->record))
		count++;
	else if (count == 1)
	{
		c->record = *only;
		c->has_record = true;
	}
	if (count > 1)
		c->ambiguous = list_ids(c, verb);
}

static Numeric
add(Numeric sum, Numeric number)
{
	return number == NULL ? sum : sum ? money_add(sum, number) : number;
}

/* What the amounts of a cancellation's items fell by, less what they rose by. */
static void
sum_items(CancelTarget *c, int64 cancellation_id, ReadSnapshot snapshot)
{
	ListCell *lc;

	foreach(lc, record_items_of(c, cancellation_id, snapshot))
	{
		const RecordItem *item = lfirst(lc);

		c->parts_drop = add(c->parts_drop, item->refund_due);
		if (item->restored)
			c->parts_drop = add(c->parts_drop, money_negative(item->restored));
	}
}

/*
 * Sums up what the parts have made due, with what the merchant has kept of it
 * by agreeing to less, and what the amounts of all canceled items have fallen
 * by.  Undone cancellations count as well: an amount need
 * not rise by what it fell by, if it is rounded or there is a rebate.
 */
static void
sum_parts(CancelTarget *c, ReadSnapshot snapshot)
{
	ListCell *lc;

	foreach(lc, c->parts)
	{
		const Cancellation *part = lfirst(lc);

		c->parts_due = add(c->parts_due, part->refund_owed);
		sum_items(c, part->id, snapshot);
	}
	foreach(lc, c->undone)
	{
		sum_items(c, *(int64 *) lfirst(lc), snapshot);
	}
}

static int
compare_keys(const ListCell *a, const ListCell *b)
{
	return strcmp(((const RecordItem *) lfirst(a))->item_key,
				  ((const RecordItem *) lfirst(b))->item_key);
}

List *
lifecycle_undone_items(const CancelTarget *c)
{
	List	 *items = NIL;
	ListCell *lc;

	foreach(lc, c->undone)
		items = list_concat(items,
							record_items_of(c, *(int64 *) lfirst(lc),
											READ_CURRENT));
	list_sort(items, compare_keys);
	return items;
}

Numeric
lifecycle_undone_rest(const List *undone, const char *item_key)
{
	Numeric rest = int64_to_numeric(0);
	int		low = 0;
	int		high = list_length(undone);

	while (low < high)
	{
		int				  middle = (low + high) / 2;
		const RecordItem *r = list_nth(undone, middle);

		if (strcmp(r->item_key, item_key) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < list_length(undone); low++)
	{
		const RecordItem *r = list_nth(undone, low);

		if (strcmp(r->item_key, item_key) != 0)
			break;
		rest = add(rest, r->refund_due);
		if (r->restored)
			rest = money_subtract(rest, r->restored);
	}
	return rest;
}

void
lifecycle_choose(CancelTarget *targets, int count, const CancelArgs *args,
				 ReadSnapshot snapshot)
{
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		if (c->result != TARGET_OPEN)
			continue;
		c->closed = c->has_record && !c->record.items &&
			(c->record.state == STATE_IN_PROGRESS ||
			 c->record.state == STATE_CANCELED);
		if (OidIsValid(c->table->item_records))
		{
			record_find_parts(c, snapshot);
			if (verb_traits[args->verb].accepts)
				sum_parts(c, snapshot);
		}
		if (args->verb == VERB_ACCEPT_CANCEL)
			choose_accepted(c);
		else if (args->cancellation_id == 0)
			choose(c, args->verb);
		else if (!record_find_id(c, args->cancellation_id))
			c->has_record = false;
	}
}

void
lifecycle_follow_part(CancelTarget *c, const CancelArgs *args)
{
	CancelTarget order = *c;
	CancelArgs	 follow = *args;
	bool		 due_again = c->record.state == STATE_IN_PROGRESS;

	if (!c->closed || !c->record.items)
		return;
	order.result = TARGET_OPEN;
	record_find(&order, 1);
	if (!order.has_record || order.record.items ||
		order.record.state !=
			(due_again ? STATE_CANCELED : STATE_IN_PROGRESS) ||
		decision_money_is_due(&order.record))
		return;
	follow.verb = VERB_RECORD_REFUND;
	follow.has_amount = false;
	follow.request_key = NULL;
	follow.metadata = NULL;
	follow.cancellation_id = 0;
	order.parts_known = false;
	record_find_parts(&order, READ_CURRENT);
	decision_input_from_target(&order, VERB_RECORD_REFUND, args->party,
							   args->now);
	order.input.amount = due_again ? AMOUNT_UNSETTLED : AMOUNT_SETTLED;
	order.items = NIL;
	lifecycle_decide(&order, &follow);
	lifecycle_carry_out(&order, 1, &follow);
	c->status = order.status;
	c->outcome.order_status = order.status;
}
