/*
 * cancel_options.c — cancel_options: what each party may do to an order
 *
 * Makes the decision of each verb for each party, without locks.  Reason and
 * note are not checked, since they are not known yet.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/read_snapshot.h"
#include "base/result_row.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/roles.h"
#include "lifecycle/lifecycle.h"
#include "rows/order_row.h"
#include "rows/record.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_cancel_options);

/* The columns of the result. */
enum
{
	OPTION_PARTY,
	OPTION_VERB,
	OPTION_ALLOWED,
	OPTION_OUTCOME,
	OPTION_CONDITION,
	OPTION_DETAIL,
	OPTION_HINT,
	OPTION_UNTIL,
	OPTION_REFUND_DUE,
};

static const ResultColumn option_columns[] = {
	[OPTION_PARTY] = {"party", TEXTOID},
	[OPTION_VERB] = {"verb", TEXTOID},
	[OPTION_ALLOWED] = {"allowed", BOOLOID},
	[OPTION_OUTCOME] = {"outcome", TEXTOID},
	[OPTION_CONDITION] = {"condition", TEXTOID},
	[OPTION_DETAIL] = {"detail", TEXTOID},
	[OPTION_HINT] = {"hint", TEXTOID},
	[OPTION_UNTIL] = {"until", TIMESTAMPTZOID},
	[OPTION_REFUND_DUE] = {"refund_due", NUMERICOID},
};

static const struct
{
	Party party;
	Verb  verb;
} choices[] = {
	{PARTY_CUSTOMER, VERB_REQUEST_CANCEL},
	{PARTY_CUSTOMER, VERB_WITHDRAW_CANCEL},
	{PARTY_MERCHANT, VERB_CANCEL_ORDER},
	{PARTY_MERCHANT, VERB_WITHDRAW_CANCEL},
	{PARTY_MERCHANT, VERB_ACCEPT_CANCEL},
	{PARTY_MERCHANT, VERB_DENY_CANCEL},
	{PARTY_MERCHANT, VERB_RECORD_REFUND},
	{PARTY_MERCHANT, VERB_ADJUST_REFUND},
	{PARTY_MERCHANT, VERB_UNDO_CANCEL},
	{PARTY_MERCHANT, VERB_OVERRIDE_CANCEL},
	{PARTY_CUSTOMER, VERB_REQUEST_CANCEL_ITEMS},
	{PARTY_MERCHANT, VERB_CANCEL_ITEMS},
};

static bool
reaches_canceled(State state)
{
	return state == STATE_IN_PROGRESS || state == STATE_CANCELED;
}

/* What was evaluated for one verb is the same for the others. */
static void
keep_evaluated(CancelTarget *order, const CancelTarget *c)
{
	order->expr_known = c->expr_known;
	order->refund_due = c->refund_due;
	order->customer_block = c->customer_block;
	order->merchant_block = c->merchant_block;
	if (!OidIsValid(c->table->item_records))
	{
		order->owed_known = c->owed_known;
		order->owed = c->owed;
	}
}

static void
put_choice(ResultRow *row, CancelTarget *order, int choice, TimestampTz now,
		   bool customer_only)
{
	CancelTarget  one = *order;
	CancelTarget *c = &one;
	Decision	  v = lifecycle_check(c, choices[choice].verb,
									  choices[choice].party, now);
	bool		  allowed = v.condition == CONDITION_NONE;
	Refusal		  refusal = {0};
	const char	 *condition = condition_name(v.condition);
	Numeric		  due = NULL;

	if (!allowed)
		refusal = lifecycle_explain(c);
	if (v.fault == FAULT_REFUND_UNSETTLED)
	{
		/* undo_cancel(settled => true) would be allowed. */
		v = lifecycle_check_settled(c);
		allowed = v.condition == CONDITION_NONE;
	}
	if (choices[choice].party == PARTY_MERCHANT && customer_only)
	{
		refusal = role_merchant_refusal(verb_name(choices[choice].verb));
		condition = "insufficient_privilege";
		v = (Decision){0};
		allowed = false;
	}
	if (allowed && v.changed && reaches_canceled(v.state) &&
		!verb_traits[choices[choice].verb].items)
		due = verb_traits[choices[choice].verb].accepts ? c->owed :
			choices[choice].verb == VERB_RECORD_REFUND ? c->record.refund_due :
														 NULL;
	result_row_clear(row);
	result_row_text(row, OPTION_PARTY, party_name(choices[choice].party));
	result_row_text(row, OPTION_VERB, verb_name(choices[choice].verb));
	result_row_bool(row, OPTION_ALLOWED, allowed);
	result_row_text(row, OPTION_OUTCOME,
					!allowed	   ? "refused" :
						!v.changed ? "already" :
									 state_name(v.state));
	result_row_text(row, OPTION_CONDITION, condition);
	result_row_text(row, OPTION_DETAIL,
					refusal.detail ? refusal.detail : refusal.message);
	result_row_text(row, OPTION_HINT, refusal.hint);
	result_row_time(row, OPTION_UNTIL, v.has_until ? &v.until : NULL);
	result_row_numeric(row, OPTION_REFUND_DUE, due);
	keep_evaluated(order, c);
}

Datum
ordcancel_cancel_options(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	TimestampTz	   now = guc_now();
	CancelTarget   c = {0};
	RunAsScope	   scope;
	ResultRow	   row;
	bool		   customer_only;
	bool		   found = false;

	/* Looking up the result type takes longer than everything else. */
	InitMaterializedSRF(fcinfo,
						result->expectedDesc ? MAT_SRF_USE_EXPECTED_DESC : 0);
	c.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	args_key(&c, fcinfo, 1);
	customer_only = role_is_customer_only();

	if (visibility_sees_all(c.table->relid) ||
		visibility_sees_order(c.table, c.key))
	{
		run_as_owner_spi(&scope, c.table);
		order_read(&c, 1, READ_CALLER);
		found = c.result == TARGET_OPEN;
		if (found)
		{
			record_peek(&c, 1);
			result_row_begin(&row, result->setDesc, option_columns,
							 lengthof(option_columns));
			for (int i = 0; i < lengthof(choices); i++)
			{
				if (verb_traits[choices[i].verb].items &&
					!OidIsValid(c.table->items))
					continue;
				put_choice(&row, &c, i, now, customer_only);
				tuplestore_putvalues(result->setResult, row.desc, row.values,
									 row.nulls);
			}
		}
		run_as_end_spi(&scope);
	}
	if (!found)
		args_raise_not_found(&c, fcinfo, 1);
	return (Datum) 0;
}
