/*
 * cancel_order.c — the verbs: SQL functions that act on one order
 *
 * Each reads its arguments into CancelArgs.  run() does the rest: it finds the
 * table, reads the key, checks that the caller may see the order, and calls
 * the lifecycle as the owner of the table.
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/spi.h"

#include "config/guc.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/item_args.h"
#include "entry/outcome.h"
#include "entry/repeated_call.h"
#include "entry/roles.h"
#include "lifecycle/lifecycle.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_request_cancel);
PG_FUNCTION_INFO_V1(ordcancel_cancel_order);
PG_FUNCTION_INFO_V1(ordcancel_override_cancel);
PG_FUNCTION_INFO_V1(ordcancel_withdraw_cancel);
PG_FUNCTION_INFO_V1(ordcancel_accept_cancel);
PG_FUNCTION_INFO_V1(ordcancel_deny_cancel);
PG_FUNCTION_INFO_V1(ordcancel_record_refund);
PG_FUNCTION_INFO_V1(ordcancel_adjust_refund);
PG_FUNCTION_INFO_V1(ordcancel_undo_cancel);
PG_FUNCTION_INFO_V1(ordcancel_request_cancel_items);
PG_FUNCTION_INFO_V1(ordcancel_cancel_items);

static Datum
run(FunctionCallInfo fcinfo, CancelArgs *args)
{
	CancelTarget   c = {0};
	Relation	   items;
	RunAsScope	   scope;
	StringInfoData key;
	Datum		   result;

	args->source = verb_name(args->verb);
	if (verb_traits[args->verb].merchant)
		role_must_be_merchant(args->source);
	if (repeated_call_find(fcinfo, &key, &result))
		return result;
	c.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), RowExclusiveLock);
	args_key(&c, fcinfo, 1);

	/* Code of the owner must not change it under the keys of items. */
	items = OidIsValid(c.table->items) ?
		try_table_open(c.table->items, AccessShareLock) :
		NULL;
	if (verb_traits[args->verb].items)
		item_args_read(&c, fcinfo, 2, args);

	visibility_filter(&c, 1, false);
	run_as_owner_spi(&scope, c.table);
	lifecycle_run(&c, 1, args);
	run_as_end_spi(&scope);
	if (items)
		table_close(items, NoLock);

	if (c.result == TARGET_NOT_FOUND)
		args_raise_not_found(&c, fcinfo, 1);
	if (c.result == TARGET_REFUSED)
		refusal_raise(&c.outcome.refusal);
	result = outcome_datum(fcinfo, &c, &c.outcome);
	if (c.outcome.changed)
		repeated_call_remember(fcinfo, &key, result);
	return result;
}

/* (orders, order_id, reason, note, actor, ...) */
static Datum
run_with_reason(FunctionCallInfo fcinfo, CancelArgs *args)
{
	args->reason = args_text(fcinfo, 2);
	args->note = args_text(fcinfo, 3);
	args->actor = args_actor(fcinfo, 4);
	return run(fcinfo, args);
}

/* (orders, order_id, reason, note, actor, request_key, metadata[, refund]) */
static Datum
run_cancel(FunctionCallInfo fcinfo, Verb verb, Party party)
{
	CancelArgs args = {.verb = verb, .party = party};

	args.request_key = args_name(fcinfo, 5, "request key");
	args_metadata(fcinfo, 6, &args);
	args.refund = verb_traits[verb].merchant ? args_numeric(fcinfo, 7) : NULL;
	return run_with_reason(fcinfo, &args);
}

/* (orders, order_id, note, actor, ..., metadata), which is argument "last" */
static Datum
run_with_note(FunctionCallInfo fcinfo, CancelArgs *args, int last)
{
	args_metadata(fcinfo, last, args);
	args->note = args_text(fcinfo, 2);
	args->actor = args_actor(fcinfo, 3);
	return run(fcinfo, args);
}

Datum
ordcancel_request_cancel(PG_FUNCTION_ARGS)
{
	return run_cancel(fcinfo, VERB_REQUEST_CANCEL, PARTY_CUSTOMER);
}

Datum
ordcancel_cancel_order(PG_FUNCTION_ARGS)
{
	return run_cancel(fcinfo, VERB_CANCEL_ORDER, PARTY_MERCHANT);
}

Datum
ordcancel_override_cancel(PG_FUNCTION_ARGS)
{
	return run_cancel(fcinfo, VERB_OVERRIDE_CANCEL, PARTY_MERCHANT);
}

/*
 * Only the party that made a request may withdraw it.  A role that may act for
 * both, such as that of an application, acts for the requesting party, unless
 * ordcancel.party is set.
 */
Datum
ordcancel_withdraw_cancel(PG_FUNCTION_ARGS)
{
	CancelArgs args = {.verb = VERB_WITHDRAW_CANCEL};

	args.party = role_party();
	args.either_party = guc_party() == NULL && args.party == PARTY_MERCHANT &&
		role_may(VERB_REQUEST_CANCEL);
	return run_with_note(fcinfo, &args, 4);
}

Datum
ordcancel_accept_cancel(PG_FUNCTION_ARGS)
{
	CancelArgs args = {.verb = VERB_ACCEPT_CANCEL, .party = PARTY_MERCHANT};

	args.refund = args_numeric(fcinfo, 5);
	args_metadata(fcinfo, 6, &args);
	return run_with_reason(fcinfo, &args);
}

Datum
ordcancel_deny_cancel(PG_FUNCTION_ARGS)
{
	CancelArgs args = {.verb = VERB_DENY_CANCEL, .party = PARTY_MERCHANT};

	return run_with_note(fcinfo, &args, 4);
}

/* (orders, order_id, items, reason, note, actor, request_key, metadata[, refund]) */
static Datum
run_cancel_items(FunctionCallInfo fcinfo, Verb verb, Party party)
{
	CancelArgs args = {.verb = verb, .party = party};

	args.reason = args_text(fcinfo, 3);
	args.note = args_text(fcinfo, 4);
	args.actor = args_actor(fcinfo, 5);
	args.request_key = args_name(fcinfo, 6, "request key");
	args_metadata(fcinfo, 7, &args);
	args.refund = verb_traits[verb].merchant ? args_numeric(fcinfo, 8) : NULL;
	return run(fcinfo, &args);
}

Datum
ordcancel_request_cancel_items(PG_FUNCTION_ARGS)
{
	return run_cancel_items(fcinfo, VERB_REQUEST_CANCEL_ITEMS, PARTY_CUSTOMER);
}

Datum
ordcancel_cancel_items(PG_FUNCTION_ARGS)
{
	return run_cancel_items(fcinfo, VERB_CANCEL_ITEMS, PARTY_MERCHANT);
}

/* No cancellation has an ID that is not positive. */
static int64
cancellation_id(FunctionCallInfo fcinfo, int arg)
{
	if (PG_NARGS() <= arg || PG_ARGISNULL(arg))
		return 0;
	return PG_GETARG_INT64(arg) > 0 ? PG_GETARG_INT64(arg) : -1;
}

/*
 * (orders, order_id, amount, method, reference, actor, cancellation_id,
 * metadata)
 */
Datum
ordcancel_record_refund(PG_FUNCTION_ARGS)
{
	CancelArgs args = {.verb = VERB_RECORD_REFUND, .party = PARTY_MERCHANT};

	args.amount = args_numeric(fcinfo, 2);
	args.has_amount = args.amount != NULL;
	args.method = args_text(fcinfo, 3);
	args.reference = args_name(fcinfo, 4, "reference");
	args.actor = args_actor(fcinfo, 5);
	args.cancellation_id = cancellation_id(fcinfo, 6);
	args_metadata(fcinfo, 7, &args);
	return run(fcinfo, &args);
}

/* (orders, order_id, refund_due, note, actor, cancellation_id, metadata) */
Datum
ordcancel_adjust_refund(PG_FUNCTION_ARGS)
{
	CancelArgs args = {.verb = VERB_ADJUST_REFUND, .party = PARTY_MERCHANT};

	args.amount = args_numeric(fcinfo, 2);
	args.has_amount = args.amount != NULL;
	args.note = args_text(fcinfo, 3);
	args.actor = args_actor(fcinfo, 4);
	args.cancellation_id = cancellation_id(fcinfo, 5);
	args_metadata(fcinfo, 6, &args);
	return run(fcinfo, &args);
}

/* (orders, order_id, note, actor, settled, cancellation_id, metadata) */
Datum
ordcancel_undo_cancel(PG_FUNCTION_ARGS)
{
	CancelArgs args = {.verb = VERB_UNDO_CANCEL, .party = PARTY_MERCHANT};

	args.settled = args_bool(fcinfo, 4);
	args.cancellation_id = cancellation_id(fcinfo, 5);
	return run_with_note(fcinfo, &args, 6);
}
