/*
 * refusal.c — names and SQLSTATEs of conditions, refusals without a decision
 */
#include "postgres.h"

#include "decision/refusal.h"

#define OC_SQLSTATE(tens, ones) MAKE_SQLSTATE('O', 'C', '0', tens, ones)

static const struct
{
	const char *name;
	int			sqlstate;
} conditions[] = {
	[CONDITION_NONE] = {NULL, 0},
	[CONDITION_ORDER_TABLE_NOT_ATTACHED] = {"order_table_not_attached",
											OC_SQLSTATE('0', '1')},
	[CONDITION_ORDER_NOT_FOUND] = {"order_not_found", OC_SQLSTATE('0', '2')},
	[CONDITION_CANCELLATION_FORBIDDEN] = {"cancellation_forbidden",
										  OC_SQLSTATE('0', '3')},
	[CONDITION_GRACE_PERIOD_OVER] = {"grace_period_over",
									 OC_SQLSTATE('0', '4')},
	[CONDITION_CANCELLATION_BLOCKED] = {"cancellation_blocked",
										OC_SQLSTATE('0', '5')},
	[CONDITION_INVALID_REASON] = {"invalid_reason", OC_SQLSTATE('0', '6')},
	[CONDITION_NO_OPEN_CANCELLATION] = {"no_open_cancellation",
										OC_SQLSTATE('0', '7')},
	[CONDITION_UNDO_NOT_ALLOWED] = {"undo_not_allowed", OC_SQLSTATE('0', '8')},
	[CONDITION_REFUND_NOT_SETTLED] = {"refund_not_settled",
									  OC_SQLSTATE('0', '9')},
	[CONDITION_INVALID_REFUND] = {"invalid_refund", OC_SQLSTATE('1', '0')},
	[CONDITION_REQUEST_KEY_REUSED] = {"request_key_reused",
									  OC_SQLSTATE('1', '1')},
	[CONDITION_ORDER_ON_HOLD] = {"order_on_hold", OC_SQLSTATE('1', '2')},
	[CONDITION_ORDER_IS_CANCELED] = {"order_is_canceled",
									 OC_SQLSTATE('1', '3')},
	[CONDITION_INVALID_POLICY] = {"invalid_policy", OC_SQLSTATE('1', '4')},
	[CONDITION_AMBIGUOUS_CANCELLATION] = {"ambiguous_cancellation",
										  OC_SQLSTATE('1', '5')},
	[CONDITION_ITEMS_NOT_AVAILABLE] = {"items_not_available",
									   OC_SQLSTATE('1', '6')},
};

const char *
condition_name(Condition condition)
{
	return conditions[condition].name;
}

int
condition_sqlstate(Condition condition)
{
	return conditions[condition].sqlstate;
}

Refusal
refusal_not_found(const char *table, const char *order, const char *why)
{
	return (Refusal){
		.condition = CONDITION_ORDER_NOT_FOUND,
		.sqlstate = condition_sqlstate(CONDITION_ORDER_NOT_FOUND),
		.message = psprintf("order %s of %s not found", order, table),
		.detail = why ? pstrdup(why) : NULL,
	};
}

Refusal
refusal_of_error(const ErrorData *error)
{
	return (Refusal){
		.sqlstate = error->sqlerrcode,
		.message = error->message ? error->message : "missing error text",
		.detail = error->detail,
		.hint = error->hint,
	};
}
