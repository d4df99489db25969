/*
 * lifecycle_write.c — decides on plain writes of orders and records them
 */
#include "postgres.h"

#include "config/policy_cache.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/lifecycle_items.h"
#include "lifecycle/transition.h"
#include "rows/item_row.h"
#include "rows/order_row.h"
#include "rows/record.h"

/* The order remains canceled; its record gets the new status. */
static void
follow(CancelTarget *c, char *to)
{
	record_take_back(c, 1);
	c->record.order_status = to;
	record_update(c);
	transition_count++;
}

bool
lifecycle_change(CancelTarget *c, CancelArgs *args, const char *to,
				 StatusKind kind, Refusal *refusal)
{
	record_find(c, 1);
	record_take_back(c, 1);
	lifecycle_choose(c, 1, &(CancelArgs){.verb = VERB_CANCEL_ORDER},
					 READ_CURRENT);
	decision_input_from_args(c, args);
	if (decision_reopens(&c->input, to, kind))
		c->input.unsettled = c->has_record && c->record.refunded &&
			record_has_unsettled_refund(c);
	lifecycle_items_change(c, args, to, kind);
	c->expr_needed = order_expr_exist(c->table) &&
		decision_change_needs_expr(&c->input, to, kind, c->table->nblocks > 0,
								   c->table->refund_due != NULL);
	order_expr_evaluate(c, 1);
	decision_input_add_expr(c);
	c->decision = decide_change(&c->input, to, kind);
	args->verb = c->input.verb;
	if (args->verb == VERB_MOVE) /* not a step of a cancellation */
		args->reason = args->note = NULL;
	if (args->verb == VERB_UNDO_CANCEL) /* takes no reason */
		args->reason = NULL;

	if (c->decision.condition != CONDITION_NONE)
	{
		*refusal = decision_input_explain(c, args, to);
		return false;
	}
	c->next_status = to;
	if (c->decision.changed)
	{
		transition_write(c, 1, args);
		item_update(c, 1);
	}
	else if (c->decision.follows)
		follow(c, (char *) to);
	return true;
}

/*
 * The key of a new order can have a cancellation only if canceled orders may
 * be deleted.
 */
bool
lifecycle_row_needs_record(OrderTable *table, Verb verb)
{
	return verb == VERB_DELETE || policy_cache_canceled_deletable(table);
}

static void
find_record(CancelTarget *c, const CancelArgs *args)
{
	record_find(c, 1);
	lifecycle_choose(c, 1, args, READ_CURRENT);
}

static bool
decide_row(CancelTarget *c, CancelArgs *args, Refusal *refusal)
{
	decision_input_from_target(c, args->verb, args->party, args->now);
	c->decision = decide(&c->input);
	if (c->decision.follows)
		follow(c, c->status);
	if (c->decision.condition == CONDITION_NONE)
	{
		/* No status will tell that there is a cancellation in an archive. */
		if (args->verb == VERB_DELETE)
			record_take_back(c, 1);
		return true;
	}
	*refusal = decision_input_explain(c, args, NULL);
	return false;
}

bool
lifecycle_row(CancelTarget *c, CancelArgs *args, Refusal *refusal)
{
	if (lifecycle_row_needs_record(c->table, args->verb))
		find_record(c, args);
	return decide_row(c, args, refusal);
}

bool
lifecycle_soft_delete(CancelTarget *c, CancelArgs *args, bool changed,
					  Refusal *refusal)
{
	if (!changed)
		find_record(c, args);
	return decide_row(c, args, refusal);
}

/*
 * Unlike a new order, a restored one may have a cancellation: it is as before
 * if its status agrees with that.
 */
bool
lifecycle_restore(CancelTarget *c, CancelArgs *args, Refusal *refusal)
{
	find_record(c, args);
	if (decide_row(c, args, refusal))
		return true;
	if (c->input.live != STATE_NONE && (c->input.part || !c->input.moved_on))
		return true;
	c->input.restored = true;
	*refusal = decision_input_explain(c, args, NULL);
	return false;
}
