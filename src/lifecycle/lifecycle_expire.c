/*
 * lifecycle_expire.c — which orders have been in their status for too long
 */
#include "postgres.h"

#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle.h"
#include "rows/record.h"

static void
drop(CancelTarget *targets, int count, TimestampTz now)
{
	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];
		Decision	  decision;

		if (c->result != TARGET_OPEN)
			continue;
		decision_input_from_target(c, VERB_EXPIRE, PARTY_SYSTEM, now);
		decision = decide(&c->input);
		if (decision.condition == CONDITION_NONE && !decision.changed)
			c->result = TARGET_DONE;
	}
}

/* The cancellations are needed only of orders that are expired without them. */
void
lifecycle_drop_unexpired(CancelTarget *targets, int count, TimestampTz now)
{
	drop(targets, count, now);
	record_peek(targets, count);
	drop(targets, count, now);
}
