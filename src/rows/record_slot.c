/*
 * record_slot.c — reads a row of the cancellation table into a target
 */
#include "postgres.h"

#include "base/result_row.h"
#include "rows/record_slot.h"

static Party
get_party(const char *name, bool *known)
{
	Party party = PARTY_SYSTEM;

	*known = name != NULL;
	if (name)
		party_from_name(name, &party);
	return party;
}

static NullableDatum
get_column(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column;

	column.value = slot_getattr(row, map->attnums[c], &column.isnull);
	return column;
}

static char *
get_text(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return nullable_text(column.value, column.isnull);
}

static TimestampTz *
get_time(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return nullable_time(column.value, column.isnull);
}

static Numeric
get_numeric(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return nullable_numeric(column.value, column.isnull);
}

static struct varlena *
get_json(TupleTableSlot *row, const RecordMap *map, CancellationColumn c)
{
	NullableDatum column = get_column(row, map, c);

	return column.isnull ? NULL : PG_DETOAST_DATUM_COPY(column.value);
}

void
record_from_slot(CancelTarget *c, TupleTableSlot *row, const RecordMap *map)
{
	Cancellation *r = &c->record;
	char		 *scope;
	bool		  known;

	c->has_record = true;
	r->id = DatumGetInt64(
		slot_getattr(row, map->attnums[CANCELLATION_ID], &known));
	state_from_name(get_text(row, map, CANCELLATION_STATE), &r->state);
	r->order_key = get_text(row, map, CANCELLATION_ORDER_KEY);
	r->requested_by = get_party(get_text(row, map, CANCELLATION_REQUESTED_BY),
								&known);
	r->requested_actor = get_text(row, map, CANCELLATION_REQUESTED_ACTOR);
	r->decided_by = get_party(get_text(row, map, CANCELLATION_DECIDED_BY),
							  &r->decided);
	r->decided_actor = get_text(row, map, CANCELLATION_DECIDED_ACTOR);
	r->reason = get_text(row, map, CANCELLATION_REASON);
	r->note = get_text(row, map, CANCELLATION_NOTE);
	r->decision_note = get_text(row, map, CANCELLATION_DECISION_NOTE);
	r->undo_note = get_text(row, map, CANCELLATION_UNDO_NOTE);
	r->prior_status = get_text(row, map, CANCELLATION_PRIOR_STATUS);
	r->order_status = get_text(row, map, CANCELLATION_ORDER_STATUS);
	r->policy = get_text(row, map, CANCELLATION_POLICY);
	r->request_key = get_text(row, map, CANCELLATION_REQUEST_KEY);
	r->refund_due = get_numeric(row, map, CANCELLATION_REFUND_DUE);
	r->refunded = get_numeric(row, map, CANCELLATION_REFUNDED);
	r->requested_at = get_time(row, map, CANCELLATION_REQUESTED_AT);
	r->decided_at = get_time(row, map, CANCELLATION_DECIDED_AT);
	r->closed_at = get_time(row, map, CANCELLATION_CLOSED_AT);
	r->deadline = get_time(row, map, CANCELLATION_DEADLINE);
	scope = get_text(row, map, CANCELLATION_SCOPE);
	r->items = scope && strcmp(scope, "items") == 0;
	r->refund_owed = get_numeric(row, map, CANCELLATION_REFUND_OWED);
	r->metadata = (Jsonb *) get_json(row, map, CANCELLATION_METADATA);
	r->prior_values = get_json(row, map, CANCELLATION_PRIOR_VALUES);
	r->refund_kept = get_numeric(row, map, CANCELLATION_REFUND_KEPT);
	r->first_closed_at = get_time(row, map, CANCELLATION_FIRST_CLOSED_AT);
}
