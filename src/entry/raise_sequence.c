/*
 * raise_sequence.c — moves a sequence beyond ids that others have taken
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/rel.h"

#include "base/trigger_call.h"
#include "config/config_table.h"
#include "config/node_ids.h"
#include "consumer/event_horizon.h"
#include "rows/record_columns.h"

PG_FUNCTION_INFO_V1(ordcancel_raise_sequence);
PG_FUNCTION_INFO_V1(ordcancel_position_arrived);

/* (sequence, id) */
Datum
ordcancel_raise_sequence(PG_FUNCTION_ARGS)
{
	node_raise_last_id(PG_GETARG_OID(0), PG_GETARG_INT64(1));
	PG_RETURN_VOID();
}

static int64
last_id_of(const TriggerData *trigger, HeapTuple row, const char *column)
{
	Relation rel = trigger->tg_relation;
	bool	 isnull;
	Datum	 horizon = heap_getattr(row, record_column(rel, column),
									RelationGetDescr(rel), &isnull);

	return isnull ?
		0 :
		event_horizon_from_array(DatumGetArrayTypeP(horizon))->last_id;
}

/*
 * A trigger on ordcancel.consumer, which fires in replica mode only: BEFORE INSERT
 * OR UPDATE.  Ids that were rolled back where the position comes from must not be
 * taken again here: the consumer would not expect events with them.
 */
Datum
ordcancel_position_arrived(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);
	HeapTuple	 row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) ?
		   trigger->tg_newtuple :
		   trigger->tg_trigtuple;
	Oid			 sequence = config_relation("event_id_seq");
	int64		 id = Max(last_id_of(trigger, row, "passed"),
						  last_id_of(trigger, row, "window_end"));

	if (node_may_take(sequence, id))
		node_raise_last_id(sequence, id);
	return PointerGetDatum(row);
}
