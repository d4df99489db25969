/*
 * run_call.c — the trigger that makes a row of a table of calls a call
 *
 * BEFORE INSERT, so that the answer is in the row, and RETURNING returns it.  The
 * verb's function is called by a statement, with the rights of whoever inserts
 * the row, and its errors are passed on; with on_error = skip they are the
 * answer.
 *
 * A call that was made has called_at.  A row that comes with it, from a dump or
 * by replication, is kept as it is and calls nothing.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/dependency.h"
#include "catalog/pg_type.h"
#include "commands/sequence.h"
#include "commands/trigger.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/rel.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "base/subxact.h"
#include "base/text.h"
#include "base/trigger_call.h"
#include "config/guc.h"
#include "entry/call_row.h"
#include "entry/call_statement.h"

PG_FUNCTION_INFO_V1(ordcancel_run_call);

/*
 * A foreign table sends a null value for a column that was not given, instead
 * of leaving it out.
 */
static void
number(CallRow *c)
{
	int attnum = call_column(c, "call_id", INT8OID);

	if (attnum == 0 || !c->nulls[attnum - 1] ||
		TupleDescAttr(c->desc, attnum - 1)->attidentity == '\0')
		return;
	call_set(c, attnum,
			 Int64GetDatum(
				 nextval_internal(identity_sequence(c->rel, attnum), false)),
			 false);
}

static void
read_verb(CallRow *c)
{
	char *name = call_text(c, call_need_column(c, "verb", TEXTOID));
	int on_error = call_column(c, call_arguments[CALL_ON_ERROR].name, TEXTOID);
	char *value = call_text(c, on_error);

	c->verb = name ? call_verb(name) : -1;
	if (c->verb < 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 name ? errmsg("unknown verb \"%s\"", text_clip(name, 80)) :
						errmsg("a call needs a verb"),
				 errhint("The verbs are %s.", call_verbs_text())));
	if (value && strcmp(value, "abort") != 0 && strcmp(value, "skip") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_error must be \"skip\" or \"abort\""),
				 errdetail("The value is \"%s\".", text_clip(value, 80))));
	c->skip = value && strcmp(value, "skip") == 0;
	if (call_verb_is_set(c->verb))
	{
		c->skip = false;
		if (value == NULL)
			call_set(c, on_error, CStringGetTextDatum("skip"), false);
	}
}

/* What the verb does not take would be lost; and nobody else gives answers. */
static void
check_columns(const CallRow *c)
{
	for (int i = 0; i < CALL_ARGUMENTS; i++)
	{
		int attnum = call_column(c, call_arguments[i].name,
								 call_arguments[i].type);

		if (attnum > 0 && !c->nulls[attnum - 1] &&
			!call_verb_takes(c->verb, i))
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("verb %s does not take %s",
							call_verb_name(c->verb), call_arguments[i].name),
					 errhint("It takes %s.", call_arguments_text(c->verb))));
	}
	for (int i = 0; i < ANSWER_COUNT; i++)
	{
		int attnum = call_column(c, call_answers[i].name,
								 call_answers[i].type);

		if (attnum > 0 && !c->nulls[attnum - 1])
			ereport(ERROR,
					(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
					 errmsg("column \"%s\" of a call is a part of the answer",
							call_answers[i].name),
					 errhint("Leave it out.")));
	}
}

/* As in cancel_orders: not of errors that no order has caused. */
static bool
is_answer(const ErrorData *error)
{
	int category = ERRCODE_TO_CATEGORY(error->sqlerrcode);

	return category != ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES) &&
		category != ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR);
}

static void
set_text(CallRow *c, Answer answer, const char *text)
{
	call_set(c, call_column(c, call_answers[answer].name, TEXTOID),
			 text ? CStringGetTextDatum(text) : (Datum) 0, text == NULL);
}

static void
run_skipping(CallRow *c)
{
	ErrorData *error = subxact_try(call_run, c);

	if (error == NULL)
		return;
	if (!is_answer(error))
		ReThrowError(error);
	call_set(c, call_column(c, "changed", BOOLOID), BoolGetDatum(false),
			 false);
	set_text(c, ANSWER_SQLSTATE, unpack_sql_state(error->sqlerrcode));
	set_text(c, ANSWER_MESSAGE, error->message);
	set_text(c, ANSWER_DETAIL, error->detail);
	set_text(c, ANSWER_HINT, error->hint);
}

/* Others could invent calls that were never made. */
static void
check_restore(const CallRow *c)
{
	if (!owns_relation(RelationGetRelid(c->rel), GetUserId()))
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg(
				 "only the owner of table \"%s\" may insert calls that were made already",
				 RelationGetRelationName(c->rel)),
			 errhint("Leave out column \"called_at\".")));
}

static void
check_protocol(const TriggerData *trigger)
{
	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		TRIGGER_FIRED_BY_DELETE(trigger->tg_event))
		ereport(
			ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg(
				 "trigger function must be fired BEFORE INSERT OR UPDATE FOR EACH ROW")));
	if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
		ereport(ERROR,
				(errcode(ERRCODE_CHECK_VIOLATION),
				 errmsg("calls in table \"%s\" cannot be updated",
						RelationGetRelationName(trigger->tg_relation)),
				 errhint("Insert another call; this one may be deleted."),
				 errtableconstraint(trigger->tg_relation, "call_is_made")));
}

Datum
ordcancel_run_call(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	CallRow		 c = {.rel = trigger->tg_relation,
					  .desc = RelationGetDescr(trigger->tg_relation),
					  .context = CurrentMemoryContext};
	int			 called_at;

	check_protocol(trigger);
	c.values = palloc(c.desc->natts * sizeof(Datum));
	c.nulls = palloc(c.desc->natts * sizeof(bool));
	heap_deform_tuple(trigger->tg_trigtuple, c.desc, c.values, c.nulls);
	called_at = call_need_column(&c, "called_at", TIMESTAMPTZOID);
	if (!c.nulls[called_at - 1])
	{
		check_restore(&c);
		return PointerGetDatum(trigger->tg_trigtuple);
	}

	c.table = call_table_of(c.rel);
	call_find_keys(&c);
	read_verb(&c);
	check_columns(&c);
	number(&c);
	if (call_verb_is_set(c.verb))
		call_complete_set(&c);
	call_set(&c, called_at, TimestampTzGetDatum(guc_now()), false);
	if (c.skip)
		run_skipping(&c);
	else
		call_run_raising(&c);
	return PointerGetDatum(heap_form_tuple(c.desc, c.values, c.nulls));
}
