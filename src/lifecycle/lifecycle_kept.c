/*
 * lifecycle_kept.c — a refund that counted as kept has failed
 */
#include "postgres.h"

#include "base/money.h"
#include "lifecycle/decision_input.h"
#include "lifecycle/lifecycle_items.h"
#include "lifecycle/lifecycle_steps.h"
#include "rows/record.h"

static bool
counts_kept(const Cancellation *r)
{
	return (r->state == STATE_IN_PROGRESS || r->state == STATE_CANCELED) &&
		r->refund_owed && r->refund_due && r->refund_kept &&
		money_is_positive(r->refund_kept);
}

/*
 * The newest cancellation in effect of which less is due because of refunds
 * that the customer kept.  What parts before it lack is due with it, see
 * compute_owed.
 */
static bool
choose_newest(CancelTarget *order)
{
	bool	  found = order->has_record && counts_kept(&order->record);
	ListCell *lc;

	foreach(lc, order->parts)
	{
		const Cancellation *part = lfirst(lc);

		if (counts_kept(part) && !(found && order->record.id > part->id))
		{
			order->record = *part;
			found = true;
		}
	}
	order->has_record = found;
	return found;
}

void
lifecycle_kept_failed(CancelTarget *c, const CancelArgs *args)
{
	CancelTarget order = *c;
	CancelArgs	 adjust = *args;
	Numeric		 kept;

	order.result = TARGET_OPEN;
	order.has_record = false;
	order.ambiguous = NULL;
	order.parts_known = false;
	record_find(&order, 1);
	if (OidIsValid(c->table->item_records))
		record_find_parts(&order, READ_CURRENT);
	if (!choose_newest(&order))
		return;
	kept = record_kept_refunds(c);
	order.lost = kept ? money_subtract(order.record.refund_kept, kept) :
						order.record.refund_kept;
	if (!money_is_positive(order.lost))
		return;

	adjust.verb = VERB_ADJUST_REFUND;
	adjust.amount = money_add(order.record.refund_due, order.lost);
	adjust.note = NULL;
	adjust.request_key = NULL;
	adjust.metadata = NULL;
	adjust.cancellation_id = order.record.id;
	decision_input_from_target(&order, VERB_ADJUST_REFUND, args->party,
							   args->now);
	order.input.skip_reason_check = true;
	order.input.amount = AMOUNT_PART;
	order.items = NIL;
	lifecycle_decide(&order, &adjust);
	if (order.result == TARGET_REFUSED)
	{
		c->result = TARGET_REFUSED;
		c->outcome.refusal = order.outcome.refusal;
		return;
	}
	lifecycle_carry_out(&order, 1, &adjust);
	c->status = order.status;
	c->outcome.order_status = order.status;
}
