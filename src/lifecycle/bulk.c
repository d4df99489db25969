/*
 * bulk.c — many orders at once, and one that fails does not stop the rest
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

/* Orders that are done in one subtransaction. */
typedef struct Part
{
	void (*step)(const struct Part *part, int from, int count);
	CancelTarget *targets;
	Datum		**keys;	  /* of the cases, as they were given */
	bool		 *failed; /* orders that are refused with an error of theirs */
	int			  from;	  /* the part is [from, to) of them */
	int			  to;
	const CancelArgs *args;
	bool			  settle;
	bool			  one_by_one;
	int				  at; /* the order that is being done, then */
} Part;

/* What an attempt before this one has found out is void, but for errors. */
static void
begin_again(const Part *part, int from, int count)
{
	for (int i = from; i < from + count; i++)
		if (!part->failed[i])
			part->targets[i] = (CancelTarget){.table = part->targets[i].table,
											  .key = part->keys[i]};
}

static void
call_part(const Part *part, int from, int count)
{
	CancelTarget *targets = &part->targets[from];
	CancelArgs	  args = *part->args;
	RunAsScope	  scope;

	begin_again(part, from, count); /* before anything may fail */
	if (args.matches == NULL) /* else the caller has looked, and will again */
		visibility_filter(targets, count, args.skip_locked);
	run_as_owner(&scope, targets[0].table);
	lifecycle_run(targets, count, &args);
	if (part->settle)
		run_as_fire_deferred();
	run_as_end(&scope);
}

static void
preview_part(const Part *part, int from, int count)
{
	CancelArgs args = *part->args;
	RunAsScope scope;

	begin_again(part, from, count);
	run_as_owner(&scope, part->targets[from].table);
	lifecycle_preview(&part->targets[from], count, &args);
	run_as_end(&scope);
}

static void
do_part(void *arg)
{
	Part *part = arg;

	if (!part->one_by_one)
		part->step(part, part->from, part->to - part->from);
	else
		for (part->at = part->from; part->at < part->to; part->at++)
			if (!part->failed[part->at])
				part->step(part, part->at, 1);
}

/* A full disk or the like is not an order's trouble. */
static bool
nothing_will_help(const ErrorData *error)
{
	int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

/*
 * Which order the error is about; -1: any of them.  One that could not be
 * locked is known at once: it is not waited for again.
 */
static int
find_culprit(const Part *part)
{
	if (part->one_by_one)
		return part->at;
	if (part->to - part->from == 1)
		return part->from;
	for (int i = part->from; i < part->to; i++)
		if (part->targets[i].result == TARGET_LOCKED &&
			!part->args->skip_locked)
			return i;
	return -1;
}

static char *
copy(const char *text)
{
	return text ? pstrdup(text) : NULL;
}

/* What was read of the order is kept, for who lists it. */
static void
refuse_with(const Part *part, int i, const ErrorData *error)
{
	CancelTarget *c = &part->targets[i];
	const Policy *policy = c->policy;
	char		 *status = copy(c->status);
	Refusal		 *refusal = &c->outcome.refusal;

	begin_again(part, i, 1);
	c->policy = policy;
	c->status = status;
	c->key_text = order_key_text(c->table, c->key);
	c->result = TARGET_REFUSED;
	*refusal = refusal_of_error(error);
	refusal->message = copy(refusal->message);
	refusal->detail = copy(refusal->detail);
	refusal->hint = copy(refusal->hint);
	part->failed[i] = true;
}

/*
 * Tries a part.  Returns false after an error; the order that it is about is
 * refused, if it is known, and is the culprit, else -1.
 */
static bool
try_part(Part *part, int *culprit)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(caller, "ordcancel part",
												  ALLOCSET_START_SMALL_SIZES);
	ErrorData	 *error;

	part->at = part->to;
	MemoryContextSwitchTo(context);
	error = subxact_try(do_part, part);
	MemoryContextSwitchTo(caller);
	if (error == NULL)
		return true; /* what it found out stays */
	*culprit = find_culprit(part);
	if (nothing_will_help(error) || *culprit == part->to)
		ReThrowError(error);
	if (*culprit >= 0)
		refuse_with(part, *culprit, error);
	MemoryContextDelete(context);
	return false;
}

/*
 * Does again, and together, what went well one after another.  If it hardly
 * ever does not go together, then each order by itself.
 */
static void
keep(Part part, int to)
{
	int from = part.from;
	int culprit;

	part.one_by_one = false;
	part.to = to;
	while (part.from < to && part.failed[part.from])
		part.from++;
	if (part.from == to || try_part(&part, &culprit))
		return;
	for (int i = from; i < to; i++)
	{
		part.from = i;
		part.to = i + 1;
		if (!part.failed[i])
			(void) try_part(&part, &culprit);
	}
}

/*
 * At most so many orders before one that fails are done once more with those
 * after it; if there are more, they get a subtransaction.
 */
#define REPEAT_MAX 32

/*
 * Does all orders of the part but those that fail.  A subtransaction uses a
 * transaction id whether it fails or not, and one that does not fail is looked
 * up by other sessions until the end of the transaction.  So they are done
 * together; after an error one after another, in one subtransaction as well,
 * until it is known which of them fails; then the others together once more;
 * and after another error one after another to the end.
 */
static void
do_all(Part part)
{
	bool once_more = true;
	int	 culprit;

	while (part.from < part.to && !try_part(&part, &culprit))
	{
		if (culprit < 0)
		{
			part.one_by_one = true;
			continue;
		}
		if (part.one_by_one && once_more)
			once_more = part.one_by_one = false;
		if (culprit - part.from >= REPEAT_MAX)
		{
			keep(part, culprit);
			part.from = culprit + 1;
		}
	}
}

static void
begin(Part part)
{
	part.keys = palloc(part.to * sizeof(Datum *));
	part.failed = palloc0(part.to * sizeof(bool));
	for (int i = 0; i < part.to; i++)
		part.keys[i] = part.targets[i].key;
	do_all(part);
}

void
bulk_run(CancelTarget *targets, int count, const CancelArgs *args, bool settle)
{
	begin((Part){.step = call_part,
				 .targets = targets,
				 .to = count,
				 .args = args,
				 .settle = settle});
}

void
bulk_preview(CancelTarget *targets, int count, const CancelArgs *args)
{
	begin((Part){
		.step = preview_part, .targets = targets, .to = count, .args = args});
}

/* A trigger of the user may have ended at once what we have begun. */
static void
explain_ended(CancelTarget *c)
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
bulk_explain(CancelTarget *c)
{
	if (c->result == TARGET_DONE && c->outcome.changed &&
		state_has_ended(c->outcome.state))
		explain_ended(c);
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
