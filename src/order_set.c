/*
 * order_set.c — many orders at once, and one that fails does not stop the rest
 */
#include "postgres.h"

#include "as_owner.h"
#include "attempt.h"
#include "entry.h"
#include "lifecycle.h"
#include "order_key.h"
#include "order_set.h"
#include "refusal.h"

typedef struct Part
{
	AttemptStep step;
	OrderCase  *cases;
	int			count;
	const Call *call;
	bool		settle;
} Part;

/* What an attempt before this one has found out is void. */
static void
begin_again(OrderCase *cases, int count)
{
	for (int i = 0; i < count; i++)
		cases[i] = (OrderCase){.table = cases[i].table, .key = cases[i].key};
}

static void
call_part(void *arg)
{
	Part	  *part = arg;
	Call	   call = *part->call;
	OwnerScope scope;

	begin_again(part->cases, part->count);
	if (call.wanted == NULL) /* else the caller has looked, and will again */
		entry_see(part->cases, part->count, call.skip_locked);
	owner_enter(&scope, part->cases[0].table);
	lifecycle_call(part->cases, part->count, &call);
	if (part->settle)
		owner_settle();
	owner_leave(&scope);
}

/* A full disk or the like is not an order's trouble. */
static bool
nothing_will_help(const ErrorData *error)
{
	int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category == ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) ||
		category == ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

static void
preview_part(void *arg)
{
	Part	  *part = arg;
	Call	   call = *part->call;
	OwnerScope scope;

	begin_again(part->cases, part->count);
	owner_enter(&scope, part->cases[0].table);
	lifecycle_preview(part->cases, part->count, &call);
	owner_leave(&scope);
}

/* Which of the orders was being locked when the error came; else none. */
static int
find_lock_failure(const Part *part)
{
	for (int i = 0; i < part->count; i++)
		if (part->cases[i].result == CASE_LOCKED && !part->call->skip_locked)
			return i;
	return -1;
}

/* What was read of the order is kept, for who lists it. */
static void
refuse_with(OrderCase *c, const ErrorData *error)
{
	const Policy *policy = c->policy;
	char		 *status = c->status;

	begin_again(c, 1);
	c->policy = policy;
	c->status = status;
	c->key_text = order_key_text(c->table, c->key);
	c->result = CASE_REFUSED;
	c->outcome.refusal = refusal_of_error(error);
}

static void divide(Part part);

static void
divide_range(Part part, int from, int to)
{
	if (to <= from)
		return;
	part.cases += from;
	part.count = to - from;
	divide(part);
}

/*
 * Does all of them, or, after an error, all but the one that it is about.  An
 * order that could not be locked is known at once: it is not waited for again.
 */
static void
divide(Part part)
{
	ErrorData *error = attempt(part.step, &part);
	int		   half = part.count / 2;
	int		   culprit;

	if (error == NULL)
		return;
	if (nothing_will_help(error))
		ReThrowError(error);
	culprit = part.count == 1 ? 0 : find_lock_failure(&part);
	if (culprit < 0)
	{
		FreeErrorData(error);
		divide_range(part, 0, half);
		divide_range(part, half, part.count);
		return;
	}
	refuse_with(&part.cases[culprit], error);
	divide_range(part, 0, culprit);
	divide_range(part, culprit + 1, part.count);
}

void
order_set_call(OrderCase *cases, int count, const Call *call, bool settle)
{
	divide((Part){call_part, cases, count, call, settle});
}

void
order_set_preview(OrderCase *cases, int count, const Call *call)
{
	divide((Part){preview_part, cases, count, call, false});
}

/* A trigger of the user may have ended at once what we have begun. */
static void
explain_ended(OrderCase *c)
{
	c->outcome.refusal = (Refusal){
		.sqlstate = ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION,
		.message = psprintf(
			"cancellation of order %s of %s was ended by a trigger",
			shorten(c->key_text, 80), c->table->label),
	};
	c->result = CASE_REFUSED;
}

void
order_set_explain(OrderCase *c)
{
	if (c->result == CASE_DONE && c->outcome.changed &&
		c->outcome.state > STATE_CANCELED)
		explain_ended(c);
	if (c->result != CASE_NOT_FOUND)
		return;
	c->key_text = order_key_text(c->table, c->key);
	c->outcome.refusal = refusal_not_found(c->table->label,
										   shorten(c->key_text, 80), NULL);
	c->result = CASE_REFUSED;
}

const char *
order_set_outcome(const OrderCase *c)
{
	if (c->result == CASE_REFUSED)
		return "refused";
	return c->outcome.changed ? state_name(c->outcome.state) : "already";
}
