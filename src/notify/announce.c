/*
 * announce.c — notifies listeners of an event
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/datetime.h"
#include "utils/json.h"
#include "utils/timestamp.h"

#include "base/text.h"
#include "config/guc.h"
#include "notify/announce.h"
#include "notify/outbox.h"

/* The longest payload; NOTIFY_PAYLOAD_MAX_LENGTH - 1 in async.c. */
#define PAYLOAD_MAX 7999

static void
append_field(StringInfo json, const char *name, const char *value, int bytes)
{
	appendStringInfo(json, ",\"%s\":", name);
	if (value)
		escape_json(json, text_clip(value, bytes));
	else
		appendStringInfoString(json, "null");
}

/* Appends the payload, with each value cut to so many bytes. */
static void
append_payload(StringInfo json, const CancelTarget *c, const Event *e,
			   int bytes)
{
	char at[MAXDATELEN + 1];
	int	 utc = 0;

	JsonEncodeDateTime(at, TimestampTzGetDatum(e->at), TIMESTAMPTZOID, &utc);
	appendStringInfo(json, "{\"event_id\":" INT64_FORMAT, e->id);
	if (c->table->payload_is_id)
	{
		appendStringInfoChar(json, '}');
		return;
	}
	append_field(json, "orders", c->table->label, bytes);
	append_field(json, "order_id", c->key_text, bytes);
	append_field(json, "type", event_type_name(e->type), bytes);
	append_field(json, "from", e->from, bytes);
	append_field(json, "to", e->to, bytes);
	append_field(json, "state", state_name(e->state), bytes);
	append_field(json, "party", party_name(e->party), bytes);
	append_field(json, "actor", e->actor, bytes);
	append_field(json, "reason", e->reason, bytes);
	append_field(json, "at", at, MAXDATELEN);
	appendStringInfoChar(json, '}');
}

/* Long values are cut more and more until the payload fits. */
void
announce(const CancelTarget *c, const Event *event)
{
	StringInfoData json;

	if (guc_notify == NOTIFY_OFF)
		return;

	/* A transaction over nodes is prepared, which NOTIFY does not allow. */
	if (c->table->shard.id != 0)
		return;
	initStringInfo(&json);
	for (int bytes = PAYLOAD_MAX;; bytes /= 2)
	{
		resetStringInfo(&json);
		append_payload(&json, c, event, bytes);
		if (json.len <= PAYLOAD_MAX)
			break;
	}
	if (guc_notify == NOTIFY_RELAY)
		outbox_add(c->table->channel, json.data);
	else
		Async_Notify(c->table->channel, json.data);
	pfree(json.data);
}
