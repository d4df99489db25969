/*
 * decision_needs.c — does a decision depend on blocks or refund_due?
 *
 * To find out, we decide with each combination of results that they can have,
 * and compare.  So no rule has to be stated a second time here.
 */
#include "postgres.h"

#include "base/text.h"
#include "decision/decision.h"

static bool
same_decision(const Decision *a, const Decision *b)
{
	return a->condition == b->condition && a->fault == b->fault &&
		a->changed == b->changed && a->state == b->state &&
		(a->status == b->status || equal_and_not_null(a->status, b->status)) &&
		a->clear_status == b->clear_status && a->event == b->event &&
		a->accepts == b->accepts && a->late == b->late && a->part == b->part &&
		a->owes == b->owes && a->has_until == b->has_until &&
		(!a->has_until || a->until == b->until);
}

static Decision
decision_with(const DecisionInput *input, bool change, const char *to,
			  StatusKind kind, bool blocked, bool money_due)
{
	DecisionInput assumed = *input;

	assumed.blocked = blocked;
	assumed.money_due = money_due;
	assumed.part_open = false; /* the sum matters even if the state does not */
	return change ? decide_change(&assumed, to, kind) : decide(&assumed);
}

/* If the items do not prevent it, are units canceled or given back? */
static bool
needs_items(const DecisionInput *input, bool change, const char *to,
			StatusKind kind)
{
	DecisionInput assumed = *input;

	if (!change && !verb_traits[input->verb].accepts &&
		input->verb != VERB_UNDO_CANCEL)
		return false;
	assumed.items = ITEMS_AVAILABLE;
	assumed.same_items = true;
	assumed.fulfilled = false;
	for (int due = 0; due < 2; due++)
	{
		Decision decision = decision_with(&assumed, change, to, kind, false,
										  due == 1);

		if (decision.condition == CONDITION_NONE && decision.changed &&
			(decision.state == STATE_IN_PROGRESS ||
			 decision.state == STATE_CANCELED ||
			 decision.state == STATE_UNDONE ||
			 (decision.state == STATE_REQUESTED && input->live == STATE_NONE)))
			return true;
	}
	return false;
}

bool
decision_needs_items(const DecisionInput *input)
{
	return needs_items(input, false, NULL, STATUS_ORDINARY);
}

bool
decision_change_needs_items(const DecisionInput *input, const char *to,
							StatusKind kind)
{
	return needs_items(input, true, to, kind);
}

/* "results" has one bit for each of blocked and money_due. */
static bool
depends_on_expr(const DecisionInput *input, bool change, const char *to,
				StatusKind kind, bool has_blocks, bool has_money)
{
	Decision first = decision_with(input, change, to, kind, false, false);

	for (int results = 1; results < 4; results++)
	{
		bool	 blocked = (results & 1) != 0;
		bool	 money_due = (results & 2) != 0;
		Decision decision;

		if ((blocked && !has_blocks) || (money_due && !has_money))
			continue;
		decision = decision_with(input, change, to, kind, blocked, money_due);
		if (!same_decision(&first, &decision))
			return true;
	}
	return false;
}

bool
decision_needs_expr(const DecisionInput *input, bool has_blocks,
					bool has_money)
{
	return depends_on_expr(input, false, NULL, STATUS_ORDINARY, has_blocks,
						   has_money);
}

bool
decision_change_needs_expr(const DecisionInput *input, const char *to,
						   StatusKind kind, bool has_blocks, bool has_money)
{
	return depends_on_expr(input, true, to, kind, has_blocks, has_money);
}
