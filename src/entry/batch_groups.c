/*
 * batch_groups.c — the orders of a chunk, grouped by what became of them
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
	/* As it was before; an error may have come before the question. */
	g.status = c->input.policy ? c->input.status : c->status;
	if (g.outcome == BATCH_REFUSED)
	{
		g.sqlstate = pstrdup(unpack_sql_state(refusal->sqlstate));
		g.message = refusal->message;
		if (refusal->condition != CONDITION_NONE)
			g.hint = refusal->hint; /* a rule's or block's */
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

/* Counts the chunk's orders by the way that they went. */
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
			continue; /* its turn comes */
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
