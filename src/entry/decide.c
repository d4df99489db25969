/*
 * decide.c — the decision by itself, as an SQL function
 *
 * For tests of the whole table of rules, and for "what would the rules say?"
 * without an order.  The statuses of its policy are named after what they
 * mean: "requested", "in_progress", "canceled", "customer_canceled"; the
 * order stands in "prior" or in the status of its state.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/result_row.h"
#include "base/text.h"
#include "config/guc.h"
#include "decision/decision.h"
#include "decision/refusal.h"

PG_FUNCTION_INFO_V1(ordcancel_decide);
PG_FUNCTION_INFO_V1(ordcancel_conditions);

enum
{
	ARG_VERB,
	ARG_PARTY,
	ARG_STATE,
	ARG_ASKED_BY,
	ARG_CUSTOMER,
	ARG_CUSTOMER_LATE,
	ARG_MERCHANT,
	ARG_DELETABLE,
	ARG_PLACED_AT,
	ARG_GRACE,
	ARG_AT,
	ARG_BLOCKED,
	ARG_MONEY_DUE,
	ARG_ON_PROGRESS,
	ARG_UNDO,
	ARG_CLOSED_AT,
	ARG_UNDO_WINDOW,
	ARG_CHANGE_TO,
};

/* The columns of the result. */
enum
{
	DECISION_OUTCOME,
	DECISION_CONDITION,
	DECISION_STATUS,
	DECISION_EVENT,
	DECISION_UNTIL,
};

static const char *const decision_columns[] = {
	[DECISION_OUTCOME] = "outcome", [DECISION_CONDITION] = "condition",
	[DECISION_STATUS] = "status",	[DECISION_EVENT] = "event",
	[DECISION_UNTIL] = "until",
};

/* Reads a word that has to be one of a list; NULL leaves the default. */
#define READ_WORD(arg, from_name, value, what)                              \
	do                                                                      \
	{                                                                       \
		if (!PG_ARGISNULL(arg))                                             \
		{                                                                   \
			char *word_ = text_to_cstring(PG_GETARG_TEXT_PP(arg));          \
			if (!from_name(word_, value))                                   \
				ereport(ERROR,                                              \
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),          \
						 errmsg("\"%s\" is not a %s", text_clip(word_, 80), \
								what)));                                    \
		}                                                                   \
	} while (0)

static bool
hold_from_name(const char *name, bool *hold)
{
	*hold = strcmp(name, "hold") == 0;
	return *hold || strcmp(name, "deny") == 0;
}

static const char *
status_of(State state)
{
	switch (state)
	{
		case STATE_REQUESTED:
			return "requested";
		case STATE_IN_PROGRESS:
			return "in_progress";
		case STATE_CANCELED:
			return "canceled";
		default:
			return "prior";
	}
}

static Decision
answer(DecisionInput *q, const char *change_to)
{
	if (change_to == NULL)
		return decide(q);
	return decide_change(q, change_to, status_kind(q->policy, change_to));
}

Datum
ordcancel_decide(PG_FUNCTION_ARGS)
{
	Rule   rule = {0};
	Policy policy = {
		.name = "decide",
		.requested_status = "requested",
		.in_progress_status = "in_progress",
		.canceled_status = "canceled",
		.customer_canceled_status = "customer_canceled",
		.undo = UNDO_CANCELED,
		.rules = &rule,
	};
	DecisionInput q = {.policy = &policy,
					   .prior_status = "prior",
					   .reason_unknown = true};
	State		  state = STATE_NONE;
	TimestampTz	  placed_at;
	TimestampTz	  closed_at;
	Decision	  v;
	TupleDesc	  desc;
	ResultRow	  row;

	READ_WORD(ARG_VERB, verb_from_name, &q.verb, "verb");
	READ_WORD(ARG_PARTY, party_from_name, &q.party, "party");
	READ_WORD(ARG_STATE, state_from_name, &state, "state");
	READ_WORD(ARG_ASKED_BY, party_from_name, &q.asked_by, "party");
	READ_WORD(ARG_CUSTOMER, mode_from_name, &rule.customer, "rule");
	rule.customer_late = rule.customer;
	READ_WORD(ARG_CUSTOMER_LATE, mode_from_name, &rule.customer_late, "rule");
	READ_WORD(ARG_MERCHANT, mode_from_name, &rule.merchant, "rule");
	READ_WORD(ARG_UNDO, undo_reach_from_name, &policy.undo,
			  "reach of an undo");
	rule.deletable = !PG_ARGISNULL(ARG_DELETABLE) &&
		PG_GETARG_BOOL(ARG_DELETABLE);
	rule.status = (char *) status_of(state);
	policy.nrules = !PG_ARGISNULL(ARG_CUSTOMER) ||
		!PG_ARGISNULL(ARG_MERCHANT) || !PG_ARGISNULL(ARG_DELETABLE);
	READ_WORD(ARG_ON_PROGRESS, hold_from_name, &policy.hold,
			  "way to progress");
	if (!PG_ARGISNULL(ARG_GRACE))
		policy.grace = PG_GETARG_INTERVAL_P(ARG_GRACE);
	if (!PG_ARGISNULL(ARG_UNDO_WINDOW))
		policy.undo_window = PG_GETARG_INTERVAL_P(ARG_UNDO_WINDOW);
	if (!PG_ARGISNULL(ARG_PLACED_AT))
	{
		placed_at = PG_GETARG_TIMESTAMPTZ(ARG_PLACED_AT);
		q.placed_at = &placed_at;
	}
	if (!PG_ARGISNULL(ARG_CLOSED_AT))
	{
		closed_at = PG_GETARG_TIMESTAMPTZ(ARG_CLOSED_AT);
		q.closed_at = &closed_at;
	}
	q.now = PG_ARGISNULL(ARG_AT) ? guc_statement_now() :
								   PG_GETARG_TIMESTAMPTZ(ARG_AT);
	q.blocked = !PG_ARGISNULL(ARG_BLOCKED) && PG_GETARG_BOOL(ARG_BLOCKED);
	q.money_due = !PG_ARGISNULL(ARG_MONEY_DUE) &&
		PG_GETARG_BOOL(ARG_MONEY_DUE);
	q.status = status_of(state);
	q.kind = status_kind(&policy, q.status);
	if (state_has_ended(state))
		q.last = state;
	else
		q.live = state;

	v = answer(&q,
			   PG_ARGISNULL(ARG_CHANGE_TO) ?
				   NULL :
				   text_to_cstring(PG_GETARG_TEXT_PP(ARG_CHANGE_TO)));

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ordcancel.decide must return a row");
	result_row_begin(&row, desc, decision_columns, lengthof(decision_columns));
	result_row_text(&row, DECISION_OUTCOME,
					v.condition != CONDITION_NONE ? "refused" :
						!v.changed				  ? "already" :
													state_name(v.state));
	result_row_text(&row, DECISION_CONDITION, condition_name(v.condition));
	result_row_text(&row, DECISION_STATUS, v.status);
	result_row_text(&row, DECISION_EVENT,
					v.event == EVENT_NONE ? NULL : event_type_name(v.event));
	result_row_time(&row, DECISION_UNTIL, v.has_until ? &v.until : NULL);
	PG_RETURN_DATUM(result_row_datum(&row));
}

/* The SQLSTATE and the name of each condition, for the documentation. */
Datum
ordcancel_conditions(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;

	InitMaterializedSRF(fcinfo, 0);
	for (int c = CONDITION_NONE + 1; c <= LAST_CONDITION; c++)
	{
		Datum values[2];
		bool  nulls[2] = {false, false};

		values[0] = CStringGetTextDatum(
			unpack_sql_state(condition_sqlstate(c)));
		values[1] = CStringGetTextDatum(condition_name(c));
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
