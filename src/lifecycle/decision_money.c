/*
 * decision_money.c — what a decision has to know about money
 */
#include "postgres.h"

#include "base/money.h"
#include "base/text.h"
#include "config/reason_cache.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/decision_money.h"
#include "rows/record.h"

static Numeric
or_zero(Numeric amount)
{
	return amount ? amount : int64_to_numeric(0);
}

bool
decision_money_is_due(const Cancellation *r)
{
	return (r->state == STATE_IN_PROGRESS || r->state == STATE_CANCELED) &&
		r->refund_due &&
		money_compare(or_zero(r->refunded), r->refund_due) < 0;
}

static bool
is_number(const CancelArgs *args)
{
	return args->has_amount && !numeric_is_nan(args->amount) &&
		!numeric_is_inf(args->amount);
}

/* Are amount and method those of a recorded refund? */
static bool
is_same_refund(const CancelArgs *args, int scale, const RecordedRefund *past)
{
	if (past->amount == NULL ||
		!equal_or_both_null(args->method, past->method))
		return false;

	/* refund_scale may have been greater when it was recorded. */
	scale = Max(scale, money_scale(past->amount));
	return money_compare(money_round(args->amount, scale), past->amount) == 0;
}

/*
 * Looks for a refund with the same reference.  Returns AMOUNT_PART if there is
 * none.  A repeated refund is recognized even if nothing is due now.
 */
static AmountCheck
check_reference(CancelTarget *c, const CancelArgs *args, List *past)
{
	ListCell *lc;

	foreach(lc, past)
		if (is_same_refund(args, c->table->refund_scale, lfirst(lc)))
		{
			/* Not of the cancellation that the call names: no repetition. */
			c->recorded = lfirst(lc);
			return args->cancellation_id &&
					args->cancellation_id != c->recorded->cancellation_id ?
				AMOUNT_OTHER_REFERENCE :
				AMOUNT_REPEATED;
		}
	if (past == NIL)
		return AMOUNT_PART;
	c->recorded = linitial(past);
	return AMOUNT_OTHER_REFERENCE;
}

/*
 * What is left of refunds by the method in a cancellation, or if that is 0 in
 * any.  Sets c->recorded to one of them.
 */
static Numeric
sum_left(CancelTarget *c, const CancelArgs *args, List *past,
		 int64 cancellation)
{
	Numeric	  left = int64_to_numeric(0);
	ListCell *lc;

	c->recorded = NULL;
	foreach(lc, past)
	{
		RecordedRefund *refund = lfirst(lc);

		if (refund->amount == NULL ||
			!equal_or_both_null(args->method, refund->method) ||
			(cancellation && cancellation != refund->cancellation_id))
			continue;
		if (money_is_positive(refund->amount))
			c->recorded = refund;
		left = money_add(left, refund->amount);
	}
	return left;
}

/* The newest cancellation with that much left, or 0. */
static int64
newest_with(CancelTarget *c, const CancelArgs *args, List *past)
{
	Numeric	  wanted = money_negative(args->amount);
	int64	  newest = 0;
	ListCell *lc;

	foreach(lc, past)
	{
		int64 id = ((RecordedRefund *) lfirst(lc))->cancellation_id;

		if (id > newest &&
			money_compare(sum_left(c, args, past, id), wanted) >= 0)
			newest = id;
	}
	return newest;
}

/*
 * Takes back a refund of the same reference and method, or a part of it: no
 * more than what is left of it.  Refunds without a reference are taken together,
 * but only those of one cancellation.
 */
static AmountCheck
check_taken_back(CancelTarget *c, CancelArgs *args, List *past)
{
	int64	id = args->cancellation_id || args->reference ?
		  args->cancellation_id :
		  newest_with(c, args, past);
	Numeric left = sum_left(c, args, past, id);

	if (c->recorded == NULL)
		return AMOUNT_NOT_RECORDED;
	args->amount = money_round(args->amount,
							   Max(c->table->refund_scale,
								   money_scale(c->recorded->amount)));
	return money_is_positive(money_negative(args->amount)) &&
			money_compare(money_negative(args->amount), left) <= 0 ?
		AMOUNT_TAKEN_BACK :
		AMOUNT_NOT_RECORDED;
}

static AmountCheck
check_refund(CancelTarget *c, CancelArgs *args)
{
	Numeric		due = c->record.refund_due;
	List	   *past = NIL;
	Numeric		sum;
	AmountCheck check;
	int			order;

	if (!is_number(args) ||
		money_compare(args->amount, int64_to_numeric(0)) == 0)
		return AMOUNT_NOT_POSITIVE;
	if ((args->reference || !money_is_positive(args->amount)) && c->any_record)
		past = record_find_refund(c, args->reference);
	check = args->reference ? check_reference(c, args, past) : AMOUNT_PART;
	if (check != AMOUNT_REPEATED && !money_is_positive(args->amount))
		return check_taken_back(c, args, past);
	if (check != AMOUNT_PART || c->ambiguous)
		return check;
	if (due == NULL)
		return AMOUNT_TOO_HIGH;

	/* refund_due may have more digits, from when refund_scale was greater. */
	args->amount = money_round(args->amount,
							   Max(c->table->refund_scale, money_scale(due)));
	if (!money_is_positive(args->amount))
		return AMOUNT_NOT_POSITIVE;
	if (!refund_method_exists(args->method))
		return AMOUNT_UNKNOWN_METHOD;
	sum = money_add(or_zero(c->record.refunded), args->amount);
	order = money_compare(sum, due);
	return order > 0 ? AMOUNT_TOO_HIGH :
		order == 0	 ? AMOUNT_LAST :
					   AMOUNT_PART;
}

/* No sum of such amounts, in reports for instance, comes near the limits. */
static bool
is_amount_due(const CancelArgs *args)
{
	return is_number(args) &&
		!money_is_positive(money_negative(args->amount)) &&
		money_compare(args->amount,
					  int64_to_numeric(INT64CONST(1000000000000000000))) < 0;
}

/* The amount due that adjust_refund sets. */
static AmountCheck
check_adjusted(CancelTarget *c, CancelArgs *args)
{
	const Cancellation *r = &c->record;
	Numeric				refunded = or_zero(r->refunded);
	int					order;

	if (!is_amount_due(args))
		return AMOUNT_NOT_POSITIVE;
	args->amount = money_round(args->amount,
							   Max(c->table->refund_scale,
								   money_scale(refunded)));
	if (!is_amount_due(args)) /* it was rounded up */
		return AMOUNT_NOT_POSITIVE;
	if (r->refund_due && money_compare(args->amount, r->refund_due) == 0)
		return AMOUNT_REPEATED;
	order = money_compare(args->amount, refunded);
	return order < 0 ? AMOUNT_TOO_LOW : order == 0 ? AMOUNT_LAST : AMOUNT_PART;
}

/* c->record becomes the cancellation for which the refund is recorded. */
static void
choose_recorded(CancelTarget *c, const CancelArgs *args)
{
	AmountCheck amount = c->input.amount;

	if (c->has_record && c->record.id == c->recorded->cancellation_id)
		return;
	if (!record_find_id(c, c->recorded->cancellation_id))
		return;
	decision_input_from_target(c, args->verb, c->input.party, args->now);
	c->input.amount = amount;
}

void
decision_money_check_amount(CancelTarget *c, CancelArgs *args)
{
	c->input.amount = args->verb == VERB_ADJUST_REFUND ?
		check_adjusted(c, args) :
		check_refund(c, args);
	if (c->input.amount == AMOUNT_REPEATED && args->verb != VERB_RECORD_REFUND)
		return;
	if (c->input.amount == AMOUNT_TAKEN_BACK ||
		(c->input.amount == AMOUNT_REPEATED &&
		 OidIsValid(c->table->item_records)))
		choose_recorded(c, args);
}

/*
 * What was paid for the order, less what its parts have made due; NULL if
 * there is no refund_due expression.  It may be negative.
 */
static Numeric
paid_less_parts(const CancelTarget *c)
{
	Numeric paid;

	if (c->table->refund_due == NULL)
		return NULL;
	paid = money_round(or_zero(c->refund_due), c->table->refund_scale);
	return c->parts_due && !c->table->refund_due_net ?
		money_subtract(paid, c->parts_due) :
		paid;
}

/*
 * What the amounts of all canceled items, with those of this call, have fallen
 * by, less what is due for it already; NULL if items have no amount.
 */
static Numeric
drop_not_due(const CancelTarget *c)
{
	Numeric drop = c->items_drop;

	if (drop == NULL)
		return NULL;
	if (c->parts_drop)
		drop = money_add(drop, c->parts_drop);
	return c->parts_due ? money_subtract(drop, c->parts_due) : drop;
}

static Numeric
owed_for_items(const CancelTarget *c)
{
	Numeric paid = paid_less_parts(c);
	Numeric drop = drop_not_due(c);

	return paid && drop && money_compare(paid, drop) < 0 ? paid : drop;
}

/* NULL if refund_due is NULL for the order, as if it were not configured. */
static Numeric
owed_for_order(const CancelTarget *c)
{
	if (c->table->refund_due == NULL)
		return drop_not_due(c);
	return c->refund_due ? paid_less_parts(c) : NULL;
}

static void
compute_owed(CancelTarget *c, State live, bool part)
{
	Numeric kept = NULL;

	if (c->owed_known || (!c->expr_known && c->items_drop == NULL))
		return;
	c->owed_known = true;
	c->owed = part ? owed_for_items(c) : owed_for_order(c);
	if (c->owed == NULL)
		return;
	if (c->any_record && money_is_positive(c->owed) &&
		(live == STATE_NONE || record_has_earlier(c)))
		kept = record_kept_refunds(c);
	if (kept && money_is_positive(kept))
	{
		c->kept = money_compare(kept, c->owed) < 0 ? kept : c->owed;
		c->owed = money_subtract(c->owed, c->kept);
	}
	if (money_compare(c->owed, int64_to_numeric(0)) < 0)
		c->owed = int64_to_numeric(0);
}

/* The argument refund of the call: at most what is owed. */
static RefundCheck
check_wanted(CancelTarget *c)
{
	Numeric owed = or_zero(c->owed);

	if (c->refund_wanted == NULL)
		return REFUND_NOT_GIVEN;
	if (numeric_is_nan(c->refund_wanted) || numeric_is_inf(c->refund_wanted) ||
		money_is_positive(money_negative(c->refund_wanted)))
		return REFUND_NOT_VALID;
	c->refund_wanted = money_round(c->refund_wanted,
								   Max(c->table->refund_scale,
									   money_scale(owed)));
	return money_compare(c->refund_wanted, owed) > 0 ? REFUND_TOO_HIGH :
													   REFUND_AGREED;
}

void
decision_money_set_due(CancelTarget *c)
{
	DecisionInput *input = &c->input;
	Numeric		   due;

	compute_owed(c, input->live, decision_is_part(input));
	input->refund = check_wanted(c);
	due = input->refund == REFUND_AGREED ? c->refund_wanted : c->owed;
	input->money_due = due && money_is_positive(due);
}
