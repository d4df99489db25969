/*
 * guard_deleted.c — plain writes of orders that are deleted by deleted_when
 */
#include "postgres.h"

#include "config/guc.h"
#include "config/run_as.h"
#include "entry/guard_deleted.h"
#include "lifecycle/lifecycle.h"
#include "rows/order_row.h"

void
guard_find_deleted(CancelTarget *before, CancelTarget *after)
{
	CancelTarget both[] = {*before, *after};

	order_find_deleted(both, lengthof(both));
	before->deleted = both[0].deleted;
	after->deleted = both[1].deleted;
}

static CancelArgs
row_args(Verb verb)
{
	return (CancelArgs){.verb = verb, .party = PARTY_SYSTEM, .now = guc_now()};
}

bool
guard_soft_delete(CancelTarget *c, bool status_changed, Refusal *refusal)
{
	CancelArgs args = row_args(VERB_DELETE);

	return lifecycle_soft_delete(c, &args, status_changed, refusal);
}

bool
guard_restored(CancelTarget *c, Refusal *refusal)
{
	CancelArgs args = row_args(VERB_INSERT);

	return lifecycle_restore(c, &args, refusal);
}

bool
guard_deleted_already(CancelTarget *c)
{
	return c->decision.fault != FAULT_OPEN && guard_deleted_now(c);
}

bool
guard_deleted_now(CancelTarget *c)
{
	RunAsScope scope;

	if (c->table->deleted_when == NULL)
		return false;
	run_as_owner_spi(&scope, c->table);
	order_find_deleted(c, 1);
	run_as_end_spi(&scope);
	return c->deleted;
}
