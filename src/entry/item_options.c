/*
 * item_options.c — item_options: what can be canceled of each item
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/money.h"
#include "base/read_snapshot.h"
#include "base/result_row.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/roles.h"
#include "lifecycle/lifecycle.h"
#include "lifecycle/lifecycle_items.h"
#include "rows/item_row.h"
#include "rows/order_row.h"
#include "rows/record.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_item_options);

/* The columns of the result. */
enum
{
	OPTION_ITEM,
	OPTION_ORDERED,
	OPTION_FULFILLED,
	OPTION_CANCELED,
	OPTION_CANCELABLE,
	OPTION_AMOUNT,
	OPTION_WHY_NOT,
};

static const ResultColumn option_columns[] = {
	[OPTION_ITEM] = {"item", TEXTOID},
	[OPTION_ORDERED] = {"ordered", NUMERICOID},
	[OPTION_FULFILLED] = {"fulfilled", NUMERICOID},
	[OPTION_CANCELED] = {"canceled", NUMERICOID},
	[OPTION_CANCELABLE] = {"cancelable", NUMERICOID},
	[OPTION_AMOUNT] = {"amount", NUMERICOID},
	[OPTION_WHY_NOT] = {"why_not", TEXTOID},
};

/* Why nothing of the order can be canceled by the party; NULL if it can. */
static char *
why_not_order(CancelTarget *c, Party party)
{
	Verb	 verb = party == PARTY_MERCHANT ? VERB_CANCEL_ITEMS :
											  VERB_REQUEST_CANCEL_ITEMS;
	Decision decision = lifecycle_check(c, verb, party, guc_now());
	Refusal	 refusal;

	if (decision.condition == CONDITION_NONE && decision.changed)
		return NULL;
	if (decision.condition == CONDITION_NONE)
		return "A request to cancel some of its items is open.";
	refusal = lifecycle_explain(c);
	return refusal.detail ?
		psprintf("%s: %s", refusal.message, refusal.detail) :
		refusal.message;
}

/*
 * Of an order with an open request, only the items that it means can be
 * canceled, by confirming it.
 */
static Numeric
requested_units(const CancelTarget *c, const ItemTarget *item)
{
	ListCell *lc;

	foreach(lc, record_items_of(c, c->record.id, READ_CALLER))
	{
		const RecordItem *r = lfirst(lc);

		if (strcmp(r->item_key, item->key_text) == 0)
			return r->quantity;
	}
	return int64_to_numeric(0);
}

static void
put_item(ResultRow *row, const CancelTarget *c, const ItemTarget *item,
		 char *why_not)
{
	Numeric left = item_left(item);
	bool	requested = why_not == NULL && c->has_record &&
		c->record.state == STATE_REQUESTED;

	if (requested)
	{
		Numeric units = requested_units(c, item);

		if (money_compare(units, left) < 0)
			left = units;
		if (!money_is_positive(units))
			why_not = "A request to cancel other items is open.";
	}

	if (!money_is_positive(item_left(item)))
	{
		left = int64_to_numeric(0);
		why_not = psprintf("%s of %s are canceled and %s fulfilled.",
						   money_text(item->canceled),
						   money_text(item->ordered),
						   money_text(item->fulfilled));
	}
	result_row_clear(row);
	result_row_text(row, OPTION_ITEM, item->key_text);
	result_row_numeric(row, OPTION_ORDERED, item->ordered);
	result_row_numeric(row, OPTION_FULFILLED, item->fulfilled);
	result_row_numeric(row, OPTION_CANCELED, item->canceled);
	result_row_numeric(row, OPTION_CANCELABLE,
					   why_not ? int64_to_numeric(0) : left);
	result_row_numeric(row, OPTION_AMOUNT, item->before);
	result_row_text(row, OPTION_WHY_NOT, why_not);
}

Datum
ordcancel_item_options(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	CancelTarget   c = {0};
	RunAsScope	   scope;
	ResultRow	   row;
	Party		   party = role_party();
	bool		   found = false;

	InitMaterializedSRF(fcinfo,
						result->expectedDesc ? MAT_SRF_USE_EXPECTED_DESC : 0);
	c.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	args_key(&c, fcinfo, 1);
	if (!OidIsValid(c.table->items))
		refusal_raise_invalid_policy(
			psprintf("no items are attached to order table %s",
					 c.table->label),
			NULL, "Call ordcancel.attach_items() for the table of its items.");
	if (visibility_sees_all(c.table->relid) ||
		visibility_sees_order(c.table, c.key))
	{
		run_as_owner_spi(&scope, c.table);
		order_read(&c, 1, READ_CALLER);
		found = c.result == TARGET_OPEN;
		if (found)
		{
			char	 *why_not;
			ListCell *lc;

			record_peek(&c, 1);
			why_not = why_not_order(&c, party);
			lifecycle_items_peek(&c, READ_CALLER);
			result_row_begin(&row, result->setDesc, option_columns,
							 lengthof(option_columns));
			foreach(lc, c.items)
			{
				put_item(&row, &c, lfirst(lc), why_not);
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
