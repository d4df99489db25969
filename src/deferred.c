/*
 * deferred.c — deferred triggers of an owner's code fire at once
 */
#include "postgres.h"

#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/reltrigger.h"

#include "deferred.h"

static ExecutorStart_hook_type next_start = NULL;

/* The trigger descriptor is the statement's own copy. */
void
deferred_fire_at_once(ResultRelInfo *info)
{
	TriggerDesc *triggers = info->ri_TrigDesc;

	if (!InSecurityRestrictedOperation())
		return;
	for (int i = 0; triggers && i < triggers->numtriggers; i++)
		triggers->triggers[i].tgdeferrable =
			triggers->triggers[i].tginitdeferred = false;
}

/*
 * Relations that a statement opens later (partitions that rows are routed to)
 * keep their triggers, and PostgreSQL refuses to defer those.
 */
static void
fire_at_once(QueryDesc *query, int flags)
{
	ListCell *lc;

	if (next_start)
		next_start(query, flags);
	else
		standard_ExecutorStart(query, flags);
	if (InSecurityRestrictedOperation())
		foreach(lc, query->estate->es_opened_result_relations)
			deferred_fire_at_once(lfirst(lc));
}

void
deferred_init(void)
{
	next_start = ExecutorStart_hook;
	ExecutorStart_hook = fire_at_once;
}
