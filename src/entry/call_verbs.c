/*
 * call_verbs.c — the functions that a table of calls can call
 *
 * A test compares them with the functions that there are.
 */
#include "postgres.h"

#include "catalog/pg_type.h"

#include "config/call_table.h"
#include "entry/call_verbs.h"

const CallColumn call_arguments[CALL_ARGUMENTS] = {
	[CALL_ORDER_IDS] = {"order_ids", TEXTARRAYOID},
	[CALL_ITEMS] = {"items", JSONBOID},
	[CALL_REASON] = {"reason", TEXTOID},
	[CALL_NOTE] = {"note", TEXTOID},
	[CALL_ACTOR] = {"actor", TEXTOID},
	[CALL_REQUEST_KEY] = {"request_key", TEXTOID},
	[CALL_METADATA] = {"metadata", JSONBOID},
	[CALL_REFUND] = {"refund", NUMERICOID},
	[CALL_AMOUNT] = {"amount", NUMERICOID},
	[CALL_METHOD] = {"method", TEXTOID},
	[CALL_REFERENCE] = {"reference", TEXTOID},
	[CALL_SETTLED] = {"settled", BOOLOID},
	[CALL_SESSION_ROLES] = {"session_roles", BOOLOID},
	[CALL_ON_ERROR] = {"on_error", TEXTOID},
	[CALL_CANCELLATION_ID] = {"cancellation_id", INT8OID},
	[CALL_REFUND_DUE] = {"refund_due", NUMERICOID},
};

typedef struct CallVerb
{
	const char *name;
	uint32		arguments; /* bits of CallArgument */
} CallVerb;

#define TAKES(argument) (((uint32) 1) << (argument))

/* on_error is carried out by run_call.c, but for cancel_orders. */
#define NOTE_ACTOR \
	(TAKES(CALL_NOTE) | TAKES(CALL_ACTOR) | TAKES(CALL_ON_ERROR))
#define DECISION (NOTE_ACTOR | TAKES(CALL_METADATA))
#define REQUEST (DECISION | TAKES(CALL_REASON) | TAKES(CALL_REQUEST_KEY))

static const CallVerb verbs[] = {
	{"accept_cancel", DECISION | TAKES(CALL_REASON) | TAKES(CALL_REFUND)},
	{"adjust_refund",
	 DECISION | TAKES(CALL_REFUND_DUE) | TAKES(CALL_CANCELLATION_ID)},
	{"cancel_items", REQUEST | TAKES(CALL_ITEMS) | TAKES(CALL_REFUND)},
	{"cancel_order", REQUEST | TAKES(CALL_REFUND)},
	{"cancel_orders", DECISION | TAKES(CALL_REASON) | TAKES(CALL_ORDER_IDS)},
	{"deny_cancel", DECISION},
	{"forget", NOTE_ACTOR | TAKES(CALL_SESSION_ROLES)},
	{"override_cancel", REQUEST | TAKES(CALL_REFUND)},
	{"record_refund",
	 TAKES(CALL_AMOUNT) | TAKES(CALL_METHOD) | TAKES(CALL_REFERENCE) |
		 TAKES(CALL_ACTOR) | TAKES(CALL_CANCELLATION_ID) |
		 TAKES(CALL_METADATA) | TAKES(CALL_ON_ERROR)},
	{"request_cancel", REQUEST},
	{"request_cancel_items", REQUEST | TAKES(CALL_ITEMS)},
	{"undo_cancel",
	 DECISION | TAKES(CALL_SETTLED) | TAKES(CALL_CANCELLATION_ID)},
	{"withdraw_cancel", DECISION},
};

StaticAssertDecl(lengthof(verbs) <= CALL_PLANS, "each verb has a plan");

int
call_verb(const char *name)
{
	for (int i = 0; i < lengthof(verbs); i++)
		if (strcmp(verbs[i].name, name) == 0)
			return i;
	return -1;
}

const char *
call_verb_name(int verb)
{
	return verbs[verb].name;
}

bool
call_verb_takes(int verb, CallArgument argument)
{
	return (verbs[verb].arguments & TAKES(argument)) != 0;
}

bool
call_verb_is_set(int verb)
{
	return call_verb_takes(verb, CALL_ORDER_IDS);
}

static void
append_name(StringInfo text, const char *name, bool last)
{
	appendStringInfo(text, "%s%s",
					 text->len == 0 ? "" :
						 last		? " and " :
									  ", ",
					 name);
}

char *
call_verbs_text(void)
{
	StringInfoData text;

	initStringInfo(&text);
	for (int i = 0; i < lengthof(verbs); i++)
		append_name(&text, verbs[i].name, i == lengthof(verbs) - 1);
	return text.data;
}

char *
call_arguments_text(int verb)
{
	StringInfoData text;
	int			   last = 0;

	initStringInfo(&text);
	for (int i = 0; i < CALL_ARGUMENTS; i++)
		if (call_verb_takes(verb, i))
			last = i;
	for (int i = 0; i < CALL_ARGUMENTS; i++)
		if (call_verb_takes(verb, i))
			append_name(&text, call_arguments[i].name, i == last);
	return text.data;
}
