/*
 * forget.c — forget: erases persons from the records of an order
 */
#include "postgres.h"

#include "fmgr.h"
#include "mb/pg_wchar.h"

#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/outcome.h"
#include "entry/repeated_call.h"
#include "entry/roles.h"
#include "lifecycle/lifecycle.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_forget);

static void
check_note(const char *note)
{
	int		length = note ? pg_mbstrlen(note) : 0;
	Refusal refusal = {
		.sqlstate = condition_sqlstate(CONDITION_INVALID_REASON),
		.message = "note is too long",
		.detail = psprintf("It has %d characters; the maximum is %d.", length,
						   NOTE_MAX_LENGTH),
	};

	if (length > NOTE_MAX_LENGTH)
		refusal_raise(&refusal);
}

/* (orders, order_id, note, actor, session_roles) */
Datum
ordcancel_forget(PG_FUNCTION_ARGS)
{
	CancelArgs	   args = {.party = PARTY_MERCHANT, .source = "forget"};
	CancelTarget   c = {0};
	RunAsScope	   scope;
	StringInfoData key;
	Datum		   result;
	bool		   sees_all;

	args.note = args_text(fcinfo, 2);
	args.actor = args_actor(fcinfo, 3);
	check_note(args.note);
	role_must_be_merchant(args.source);
	if (repeated_call_find(fcinfo, &key, &result))
		return result;
	c.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), RowExclusiveLock);
	args_key(&c, fcinfo, 1);

	/* Whose a deleted order was cannot be told any more. */
	sees_all = visibility_sees_all(c.table->relid);
	visibility_filter(&c, 1, false);
	run_as_owner_spi(&scope, c.table);
	lifecycle_forget(&c, &args, sees_all, args_bool(fcinfo, 4));
	run_as_end_spi(&scope);

	if (c.result == TARGET_NOT_FOUND)
		args_raise_not_found(&c, fcinfo, 1);
	result = outcome_datum(fcinfo, &c, &c.outcome);
	if (c.outcome.changed)
		repeated_call_remember(fcinfo, &key, result);
	return result;
}
