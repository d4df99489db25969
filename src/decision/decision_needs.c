/*
 * decision_needs.c — does a decision depend on what the owner's expressions say?
 *
 * Blocks and refund_due are evaluated only where it does.  It is found out by
 * deciding with every answer that they can give, so that no rule is told twice.
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
		a->accepts == b->accepts && a->late == b->late &&
		a->has_until == b->has_until &&
		(!a->has_until || a->until == b->until);
}

static Decision
decision_with(const DecisionInput *input, bool change, const char *to,
			  StatusKind kind, bool blocked, bool money_due)
{
	DecisionInput q = *input;

	q.blocked = blocked;
	q.money_due = money_due;
	return change ? decide_change(&q, to, kind) : decide(&q);
}

/* With every answer that the facts can give. */
static bool
depends_on_expr(const DecisionInput *q, bool change, const char *to,
				StatusKind kind, bool has_blocks, bool has_money)
{
	Decision first = decision_with(q, change, to, kind, false, false);

	for (int answer = 1; answer < 4; answer++)
	{
		bool	 blocked = (answer & 1) != 0;
		bool	 money_due = (answer & 2) != 0;
		Decision v;

		if ((blocked && !has_blocks) || (money_due && !has_money))
			continue;
		v = decision_with(q, change, to, kind, blocked, money_due);
		if (!same_decision(&first, &v))
			return true;
	}
	return false;
}

bool
decision_needs_expr(const DecisionInput *q, bool has_blocks, bool has_money)
{
	return depends_on_expr(q, false, NULL, STATUS_ORDINARY, has_blocks,
						   has_money);
}

bool
decision_change_needs_expr(const DecisionInput *q, const char *to,
						   StatusKind kind, bool has_blocks, bool has_money)
{
	return depends_on_expr(q, true, to, kind, has_blocks, has_money);
}
