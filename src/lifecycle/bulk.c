/*
 * bulk.c — processes many orders, and goes on after errors
 */
#include "postgres.h"

#include "utils/memutils.h"

#include "base/subxact.h"
#include "base/text.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "lifecycle/bulk.h"
#include "lifecycle/lifecycle.h"
#include "rows/order_key.h"
#include "rows/visibility.h"

/* Targets that are processed in one subtransaction. */
typedef struct Part
{
	void (*step)(const struct Part *part, int from, int count);
	CancelTarget *targets;
	Datum		**keys;	  /* the targets' keys */
	bool		 *failed; /* targets that were refused because of an error */
	int			  from;	  /* the first target of the part */
	int			  to;	  /* the one after the last */
	const CancelArgs *args;
	bool			  fire_deferred;
	bool			  one_by_one; /* call "step" for each target */
	int				  current; /* with one_by_one: the target it processes */
} Part;

/* Discards the results of a previous attempt, except errors. */
static void
reset_targets(const Part *part, int from, int count)
{
	for (int i = from; i < from + count; i++)
		if (!part->failed[i])
			part->targets[i] = (CancelTarget){
				.table = part->targets[i].table,
				.item_table = part->targets[i].item_table,
				.item_args = part->targets[i].item_args,
				.key = part->keys[i]};
}

static void
run_part(const Part *part, int from, int count)
{
	CancelTarget *targets = &part->targets[from];
	CancelArgs	  args = *part->args;
	RunAsScope	  scope;

	reset_targets(part, from, count); /* first, for find_failed */
	/* A batch has checked it already, and the system sees all orders. */
	if (args.matches == NULL && args.party != PARTY_SYSTEM)
		visibility_filter(targets, count, args.skip_locked);
	run_as_owner(&scope, targets[0].table);
	lifecycle_run(targets, count, &args);
	if (part->fire_deferred)
		run_as_fire_deferred();
	run_as_end(&scope);
}

static void
preview_part(const Part *part, int from, int count)
{
	CancelArgs args = *part->args;
	RunAsScope scope;

	reset_targets(part, from, count);
	run_as_owner(&scope, part->targets[from].table);
	lifecycle_preview(&part->targets[from], count, &args);
	run_as_end(&scope);
}

static void
process_part(void *arg)
{
	Part *part = arg;

	if (!part->one_by_one)
		part->step(part, part->from, part->to - part->from);
	else
		for (part->current = part->from; part->current < part->to;
			 part->current++)
			if (!part->failed[part->current])
				part->step(part, part->current, 1);
}

/* Is it an error like a full disk, which no order has caused? */
static bool
is_system_error(const ErrorData *error)
{
	int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

/*
 * Returns the target that caused an error, or -1 if that is not known.  If
 * waiting for a lock has failed, the target is marked, so that it is not
 * necessary to wait for it again.
 */
static int
find_failed(const Part *part)
{
	if (part->one_by_one)
		return part->current;
	if (part->to - part->from == 1)
		return part->from;
	for (int i = part->from; i < part->to; i++)
		if (part->targets[i].result == TARGET_LOCKED &&
			!part->args->skip_locked)
			return i;
	return -1;
}

static char *
copy_string(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

/* Keeps the policy and status of the order, which a batch reports. */
static void
refuse_with(const Part *part, int i, const ErrorData *error)
{
	CancelTarget *c = &part->targets[i];
	const Policy *policy = c->policy;
	char		 *status = copy_string(c->status);
	Refusal		 *refusal = &c->outcome.refusal;

	reset_targets(part, i, 1);
	c->policy = policy;
	c->status = status;
	c->key_text = order_key_text(c->table, c->key);
	c->result = TARGET_REFUSED;
	*refusal = refusal_of_error(error);
	refusal->message = copy_string(refusal->message);
	refusal->detail = copy_string(refusal->detail);
	refusal->hint = copy_string(refusal->hint);
	part->failed[i] = true;
}

/*
 * Processes a part in a subtransaction.  After an error, rolls it back,
 * refuses the target that caused the error and sets *failed to it, or to -1 if
 * it is not known; then returns false.
 */
static bool
try_part(Part *part, int *failed)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel part",
												  ALLOCSET_START_SMALL_SIZES);
	ErrorData	 *error;

	part->current = part->to;
	MemoryContextSwitchTo(context);
	error = subxact_try(process_part, part);
	MemoryContextSwitchTo(caller);
	if (error == NULL)
		return true; /* the context has the results */
	*failed = find_failed(part);
	if (is_system_error(error) || *failed == part->to)
		ReThrowError(error);
	if (*failed >= 0)
		refuse_with(part, *failed, error);
	MemoryContextDelete(context);
	return false;
}

/*
 * Processes the targets before "to" again, which had succeeded one by one but
 * were rolled back.  In the rare case that they fail together, each gets a
 * subtransaction.
 */
static void
repeat_before(Part part, int to)
{
	int from = part.from;
	int failed;

	part.one_by_one = false;
	part.to = to;
	while (part.from < to && part.failed[part.from])
		part.from++;
	if (part.from == to || try_part(&part, &failed))
		return;
	for (int i = from; i < to; i++)
	{
		part.from = i;
		part.to = i + 1;
		if (!part.failed[i])
			(void) try_part(&part, &failed);
	}
}

/*
 * Up to so many targets before one that has failed are processed again
 * together with those after it; if there are more, they get a subtransaction
 * of their own.
 */
#define REPEAT_MAX 32

/*
 * Processes all targets of a part, and refuses those that fail.
 *
 * Each subtransaction uses up a transaction ID, and as long as the transaction
 * runs, other sessions have to look up those that were committed.  So all
 * targets are processed together at first.  After an error, they are processed
 * one by one, still in a single subtransaction, to find the one that fails;
 * then the others together once more.  After the next error, the rest is
 * processed one by one, with a new subtransaction for each that fails.
 */
static void
process_all(Part part)
{
	bool together_again = true;
	int	 failed;

	while (part.from < part.to && !try_part(&part, &failed))
	{
		if (failed < 0)
		{
			part.one_by_one = true;
			continue;
		}
		if (part.one_by_one && together_again)
			together_again = part.one_by_one = false;
		if (failed - part.from >= REPEAT_MAX)
		{
			repeat_before(part, failed);
			part.from = failed + 1;
		}
	}
}

static void
start(Part part)
{
	part.keys = palloc(part.to * sizeof(Datum *));
	part.failed = palloc0(part.to * sizeof(bool));
	for (int i = 0; i < part.to; i++)
		part.keys[i] = part.targets[i].key;
	process_all(part);
}

void
bulk_run(CancelTarget *targets, int count, const CancelArgs *args,
		 bool fire_deferred)
{
	start((Part){.step = run_part,
				 .targets = targets,
				 .to = count,
				 .args = args,
				 .fire_deferred = fire_deferred});
}

void
bulk_preview(CancelTarget *targets, int count, const CancelArgs *args)
{
	start((Part){
		.step = preview_part, .targets = targets, .to = count, .args = args});
}

/* A trigger on the order table has denied or undone the cancellation. */
static void
refuse_ended(CancelTarget *c)
{
	c->outcome.refusal = (Refusal){
		.sqlstate = ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION,
		.message = psprintf(
			"cancellation of order %s of %s was ended by a trigger",
			text_clip(c->key_text, 80), c->table->label),
	};
	c->result = TARGET_REFUSED;
}

void
bulk_set_refusal(CancelTarget *c)
{
	if (c->result == TARGET_DONE && c->outcome.changed &&
		state_has_ended(c->outcome.state))
		refuse_ended(c);
	if (c->result != TARGET_NOT_FOUND)
		return;
	c->key_text = order_key_text(c->table, c->key);
	c->outcome.refusal = refusal_not_found(c->table->label,
										   text_clip(c->key_text, 80), NULL);
	c->result = TARGET_REFUSED;
}

const char *
bulk_outcome(const CancelTarget *c)
{
	if (c->result == TARGET_REFUSED)
		return "refused";
	return c->outcome.changed ? state_name(c->outcome.state) : "already";
}
