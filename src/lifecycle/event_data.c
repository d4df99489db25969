/*
 * event_data.c — the details of events, as JSON
 */
#include "postgres.h"

#include "utils/json.h"

#include "base/money.h"
#include "lifecycle/event_data.h"
#include "rows/item_row.h"
#include "rows/record.h"

static void
data_field(StringInfo data, const char *name, const char *value, bool quoted)
{
	if (value == NULL)
		return;
	appendStringInfo(data, "%s\"%s\":", data->len ? "," : "{", name);
	if (quoted)
		escape_json(data, value);
	else
		appendStringInfoString(data, value);
}

/* The key is a number if it is one integer, as callers would write it. */
static void
append_item(StringInfo data, const char *key, bool integer_key,
			Numeric quantity, Numeric refund_due, const char *reason)
{
	appendStringInfo(data, "%s{\"item\":", data->len ? "," : "[");
	if (integer_key)
		appendStringInfoString(data, key);
	else
		escape_json(data, key);
	appendStringInfo(data, ",\"quantity\":%s", money_text(quantity));
	if (refund_due)
		appendStringInfo(data, ",\"refund_due\":%s", money_text(refund_due));
	if (reason)
	{
		appendStringInfoString(data, ",\"reason\":");
		escape_json(data, reason);
	}
	appendStringInfoChar(data, '}');
}

/*
 * The items of the cancellation as a JSON array, or NULL: those that the call
 * means, else those on record.  Notes are not in events.
 */
static char *
items_data(const CancelTarget *c)
{
	StringInfoData data;
	ListCell	  *lc;

	if (!OidIsValid(c->table->item_records) ||
		(c->record.state == STATE_REQUESTED && !c->record.items))
		return NULL;
	initStringInfo(&data);
	foreach(lc, c->items)
	{
		const ItemTarget *item = lfirst(lc);

		if (item->meant && item->take)
			append_item(&data, item->key_text,
						item_key_is_integer(c->item_table),
						money_absolute(item->take),
						c->record.state == STATE_REQUESTED ? NULL : item->drop,
						item->reason);
	}
	if (data.len == 0)
		foreach(lc, record_items_of(c, c->record.id, READ_CURRENT))
		{
			const RecordItem *item = lfirst(lc);

			append_item(&data, item->item_key, item->integer_key,
						item->quantity, item->refund_due, item->reason);
		}
	if (data.len == 0)
		return NULL;
	appendStringInfoChar(&data, ']');
	return data.data;
}

static bool
is_end(EventType type)
{
	return type == EVENT_CANCELED || type == EVENT_ITEMS_CANCELED;
}

char *
event_data(const CancelTarget *c, const CancelArgs *args, EventType type,
		   const char *moved_to)
{
	StringInfoData data;

	initStringInfo(&data);
	if (args->verb == VERB_OVERRIDE_CANCEL)
		data_field(&data, "override", "true", false);
	if (args->verb == VERB_EXPIRE)
		data_field(&data, "timer", "true", false);
	if (args->batch)
		data_field(&data, "batch", psprintf(INT64_FORMAT, args->batch), false);
	if (type == EVENT_DENIED && args->verb == VERB_MOVE)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "moved_to", moved_to, true);
	}
	if (type == EVENT_DENIED && args->order_gone)
	{
		data_field(&data, "implicit", "true", false);
		data_field(&data, "order_gone", "true", false);
	}
	if (type == EVENT_ACCEPTED || (c->decision.owes && is_end(type)))
		data_field(&data, "refund_due", money_text(c->record.refund_due),
				   false);
	if (c->refund_wanted && (type == EVENT_ACCEPTED || is_end(type)))
		data_field(&data, "owed", money_text(c->record.refund_owed), false);
	if (type == EVENT_ADJUSTED)
	{
		data_field(&data, "refund_due", money_text(c->record.refund_due),
				   false);
		data_field(&data, "refund_due_before", money_text(c->due_before),
				   false);
		data_field(&data, "refunded", money_text(c->record.refunded), false);
		data_field(&data, "note", args->note, true);
	}
	if (type == EVENT_REFUNDED)
	{
		data_field(&data, "amount", money_text(args->amount), false);
		data_field(&data, "method", args->method, true);
		data_field(&data, "reference", args->reference, true);
		data_field(&data, "refunded", money_text(c->record.refunded), false);
		data_field(&data, "refund_due", money_text(c->record.refund_due),
				   false);
	}
	if (type == EVENT_UNDONE && args->settled)
		data_field(&data, "settled", "true", false);
	if (type != EVENT_REFUNDED && type != EVENT_ADJUSTED)
		data_field(&data, "items", items_data(c), false);
	if (data.len == 0)
		return NULL;
	appendStringInfoChar(&data, '}');
	return data.data;
}
