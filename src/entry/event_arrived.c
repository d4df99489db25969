/*
 * event_arrived.c — trigger on events that replication inserts
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/xact.h"
#include "access/xlog.h"
#include "commands/trigger.h"
#include "utils/rel.h"

#include "base/trigger_call.h"
#include "consumer/late_events.h"
#include "rows/record_columns.h"

PG_FUNCTION_INFO_V1(ordcancel_event_arrived);

/*
 * BEFORE INSERT, fires in replica mode only.  The transaction ID is there
 * before the sequence is read, as for events that are written here.
 */
Datum
ordcancel_event_arrived(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	Relation	 rel = trigger->tg_relation;
	uint64		 xid = U64FromFullTransactionId(GetTopFullTransactionId());
	bool		 isnull;
	Datum		 id;
	int columns[] = {record_column(rel, "xid"), record_column(rel, "cluster")};
	Datum values[] = {Int64GetDatum((int64) xid),
					  Int64GetDatum((int64) GetSystemIdentifier())};
	bool  nulls[] = {false, false};

	if (!TRIGGER_FIRED_BEFORE(trigger->tg_event) ||
		!TRIGGER_FIRED_FOR_ROW(trigger->tg_event) ||
		!TRIGGER_FIRED_BY_INSERT(trigger->tg_event))
		ereport(
			ERROR,
			(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
			 errmsg(
				 "trigger function must be fired BEFORE INSERT FOR EACH ROW")));
	id = heap_getattr(trigger->tg_trigtuple, record_column(rel, "event_id"),
					  RelationGetDescr(rel), &isnull);
	if (!isnull)
		late_events_note(xid, DatumGetInt64(id));
	return PointerGetDatum(
		heap_modify_tuple_by_cols(trigger->tg_trigtuple, RelationGetDescr(rel),
								  lengthof(columns), columns, values, nulls));
}
