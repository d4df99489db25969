/*
 * batch_groups.c — counts the orders of a chunk by outcome
 */
#include "postgres.h"

#include "utils/builtins.h"

#include "base/text.h"
#include "entry/cancel_batch.h"

static OutcomeGroup
group_of(const CancelTarget *c)
{
	const Refusal *refusal = &c->outcome.refusal;
	OutcomeGroup   g = {.outcome = batch_outcome(c), .count = 1};

	g.policy = c->policy ? c->policy->name : NULL;
	/* The status before; an error may precede filling c->input. */
	g.status = c->input.policy ? c->input.status : c->status;
	if (g.outcome == BATCH_REFUSED)
	{
		g.sqlstate = pstrdup(unpack_sql_state(refusal->sqlstate));
		g.message = refusal->message;
		if (refusal->condition != CONDITION_NONE)
			g.hint = refusal->hint; /* of a rule or a block */
	}
	return g;
}

static bool
same_group(const OutcomeGroup *a, const OutcomeGroup *b)
{
	return a->outcome == b->outcome &&
		equal_or_both_null(a->policy, b->policy) &&
		equal_or_both_null(a->status, b->status) &&
		equal_or_both_null(a->sqlstate, b->sqlstate) &&
		equal_or_both_null(a->hint, b->hint);
}

List *
batch_groups(const Batch *b)
{
	List *groups = NIL;

	for (int i = 0; i < b->count; i++)
	{
		OutcomeGroup  g = group_of(&b->targets[i]);
		OutcomeGroup *same = NULL;
		ListCell	 *lc;

		if (g.outcome == BATCH_WAITING)
			continue; /* counted when it is processed */
		foreach(lc, groups)
			if (same_group(lfirst(lc), &g))
				same = lfirst(lc);
		if (same)
			same->count++;
		else
		{
			same = palloc(sizeof(OutcomeGroup));
			*same = g;
			groups = lappend(groups, same);
		}
	}
	return groups;
}
