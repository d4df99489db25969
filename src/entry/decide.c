/*
 * decide.c — decide: the decision as an SQL function, without an order
 *
 * For tests of all combinations, and for trying rules.  The statuses of its
 * policy are called after their meaning: "requested", "in_progress",
 * "canceled" and "customer_canceled".  The status of the order is that of its
 * state, or "prior".
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/result_row.h"
#include "base/text.h"
#include "config/guc.h"
#include "decision/decision.h"
#include "decision/refusal.h"
#include "entry/args.h"

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
	ARG_SETTLEMENT,
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

static const ResultColumn decision_columns[] = {
	[DECISION_OUTCOME] = {"outcome", TEXTOID},
	[DECISION_CONDITION] = {"condition", TEXTOID},
	[DECISION_STATUS] = {"status", TEXTOID},
	[DECISION_EVENT] = {"event", TEXTOID},
	[DECISION_UNTIL] = {"until", TIMESTAMPTZOID},
};

/* Reads an argument that names an enum value; NULL keeps the default. */
#define READ_NAME(arg, from_name, value, what)                        \
	do                                                                \
	{                                                                 \
		if (!PG_ARGISNULL(arg))                                       \
		{                                                             \
			char *name_ = args_text(fcinfo, arg);                     \
			if (!from_name(name_, value))                             \
				ereport(ERROR,                                        \
						(errcode(ERRCODE_INVALID_PARAMETER_VALUE),    \
						 errmsg("\"%s\" is not a valid value for %s", \
								text_clip(name_, 80), what)));        \
		}                                                             \
	} while (0)

static bool
hold_from_name(const char *name, bool *hold)
{
	*hold = strcmp(name, "hold") == 0;
	return *hold || strcmp(name, "deny") == 0;
}

static bool
settlement_from_name(const char *name, bool *after)
{
	*after = strcmp(name, "after_canceled") == 0;
	return *after || strcmp(name, "before_canceled") == 0;
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
decide_input(DecisionInput *input, const char *change_to)
{
	if (change_to == NULL)
		return decide(input);
	return decide_change(input, change_to,
						 status_kind(input->policy, change_to));
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
	DecisionInput input = {.policy = &policy,
						   .prior_status = "prior",
						   .plain_updates = true,
						   .skip_reason_check = true};
	State		  state = STATE_NONE;
	TimestampTz	  placed_at;
	TimestampTz	  closed_at;
	Decision	  decision;
	TupleDesc	  desc;
	ResultRow	  row;

	READ_NAME(ARG_VERB, verb_from_name, &input.verb, "verb");
	READ_NAME(ARG_PARTY, party_from_name, &input.party, "party");
	READ_NAME(ARG_STATE, state_from_name, &state, "state");
	READ_NAME(ARG_ASKED_BY, party_from_name, &input.requested_by,
			  "requested_by");
	READ_NAME(ARG_CUSTOMER, mode_from_name, &rule.customer, "customer");
	rule.customer_late = rule.customer;
	READ_NAME(ARG_CUSTOMER_LATE, mode_from_name, &rule.customer_late,
			  "customer_late");
	READ_NAME(ARG_MERCHANT, mode_from_name, &rule.merchant, "merchant");
	READ_NAME(ARG_UNDO, undo_reach_from_name, &policy.undo, "undo");
	rule.deletable = args_bool(fcinfo, ARG_DELETABLE);
	rule.status = (char *) status_of(state);
	policy.nrules = !PG_ARGISNULL(ARG_CUSTOMER) ||
		!PG_ARGISNULL(ARG_MERCHANT) || !PG_ARGISNULL(ARG_DELETABLE);
	READ_NAME(ARG_ON_PROGRESS, hold_from_name, &policy.hold, "on_progress");
	READ_NAME(ARG_SETTLEMENT, settlement_from_name, &policy.settle_after,
			  "settlement");
	if (!PG_ARGISNULL(ARG_GRACE))
		policy.grace = PG_GETARG_INTERVAL_P(ARG_GRACE);
	if (!PG_ARGISNULL(ARG_UNDO_WINDOW))
		policy.undo_window = PG_GETARG_INTERVAL_P(ARG_UNDO_WINDOW);
	if (!PG_ARGISNULL(ARG_PLACED_AT))
	{
		placed_at = PG_GETARG_TIMESTAMPTZ(ARG_PLACED_AT);
		input.placed_at = &placed_at;
	}
	if (!PG_ARGISNULL(ARG_CLOSED_AT))
	{
		closed_at = PG_GETARG_TIMESTAMPTZ(ARG_CLOSED_AT);
		input.closed_at = &closed_at;
	}
	input.now = PG_ARGISNULL(ARG_AT) ? guc_statement_now() :
									   PG_GETARG_TIMESTAMPTZ(ARG_AT);
	input.blocked = args_bool(fcinfo, ARG_BLOCKED);
	input.money_due = args_bool(fcinfo, ARG_MONEY_DUE);
	input.refund_open = input.money_due && policy.settle_after;
	input.status = status_of(state);
	input.kind = status_kind(&policy, input.status);
	if (state_has_ended(state))
		input.last = state;
	else
		input.live = state;

	decision = decide_input(&input, args_text(fcinfo, ARG_CHANGE_TO));

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "ordcancel.decide must return a row");
	result_row_begin(&row, desc, decision_columns, lengthof(decision_columns));
	result_row_text(&row, DECISION_OUTCOME,
					decision.condition != CONDITION_NONE ? "refused" :
						!decision.changed				 ? "already" :
											state_name(decision.state));
	result_row_text(&row, DECISION_CONDITION,
					condition_name(decision.condition));
	result_row_text(&row, DECISION_STATUS, decision.status);
	result_row_text(&row, DECISION_EVENT,
					decision.event == EVENT_NONE ?
						NULL :
						event_type_name(decision.event));
	result_row_time(&row, DECISION_UNTIL,
					decision.has_until ? &decision.until : NULL);
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
