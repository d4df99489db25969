/*
 * next_events.c — next_events and ack: how consumers read events
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "tcop/utility.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/result_row.h"
#include "consumer/consumer.h"
#include "consumer/consumer_tables.h"
#include "consumer/event_scan.h"
#include "consumer/late_events.h"
#include "entry/args.h"

PG_FUNCTION_INFO_V1(ordcancel_next_events);
PG_FUNCTION_INFO_V1(ordcancel_ack);
PG_FUNCTION_INFO_V1(ordcancel_consumer_role_may_read);
PG_FUNCTION_INFO_V1(ordcancel_find_event);
PG_FUNCTION_INFO_V1(ordcancel_consumer_backlog);
PG_FUNCTION_INFO_V1(ordcancel_event_horizon);
PG_FUNCTION_INFO_V1(ordcancel_event_horizon_settled);
PG_FUNCTION_INFO_V1(ordcancel_event_horizon_first_xid);

static int
batch_limit(FunctionCallInfo fcinfo)
{
	int limit = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT32(1);

	if (limit <= 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("max_events must be greater than zero")));
	return limit;
}

/* Begins a window that ends now; its horizon is the active snapshot. */
static void
begin_window(Consumer *c)
{
	c->window = event_horizon_take(c->passed);
	c->acknowledged = Min(event_horizon_start(c->passed, c->window),
						  late_events_start(c->passed, c->cluster));
	if (c->replay_from > 0)
		c->acknowledged = Min(c->acknowledged, c->replay_from - 1);
	c->delivered = c->acknowledged;
	c->delivered_all = false;
}

/*
 * Reads on in the window, or in a new one, with the current snapshot.  The
 * tables are listed afterwards: a table that is attached later has no event in
 * the window.
 */
static void
read_window(Consumer *c, EventBatch *batch, int limit)
{
	if (c->window == NULL)
		begin_window(c);
	else
	{
		CommandCounterIncrement();
		PushActiveSnapshot(GetLatestSnapshot());
	}
	event_scan_window(batch, c, consumer_tables(c, false), c->acknowledged,
					  limit);
	PopActiveSnapshot();
}

static void
note_delivered(Consumer *c, const EventBatch *batch, int limit)
{
	int64 last = batch->ids[batch->count - 1];

	/* A smaller batch may be a repetition of the beginning of a larger one. */
	if (last < c->delivered)
		return;
	c->delivered = last;
	c->delivered_all = batch->count < limit;
}

/*
 * Reads the next batch and saves what was handed out.  When the window has no
 * more events, a new one begins.  If nothing new was found, nothing is
 * written, but from time to time that the consumer is read.
 */
static void
next_batch(Consumer *c, EventBatch *batch, int limit)
{
	bool replaying = c->replay_from > 0;
	bool is_new;

	do
	{
		is_new = c->window == NULL;
		read_window(c, batch, limit);
		if (batch->count > 0)
		{
			note_delivered(c, batch, limit);
			consumer_save(c, CONSUMER_DELIVERED);
			return;
		}
		consumer_end_window(c);
	} while (!is_new);
	if (batch->examined > 0 || replaying || c->polled_long_ago)
		consumer_save(c, CONSUMER_MOVED);
}

Datum
ordcancel_next_events(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	int			   limit = batch_limit(fcinfo);
	MemoryContext  caller = CurrentMemoryContext;
	Consumer	   c;
	EventBatch	   batch = {0};

	PreventCommandIfReadOnly("next_events()");
	InitMaterializedSRF(fcinfo,
						result->expectedDesc ? MAT_SRF_USE_EXPECTED_DESC : 0);
	SPI_connect();
	MemoryContextSwitchTo(caller);
	if (consumer_open(&c, args_text(fcinfo, 0), false))
	{
		batch.desc = result->setDesc;
		next_batch(&c, &batch, limit);
		for (int i = 0; i < batch.count; i++)
			tuplestore_puttuple(result->setResult, batch.rows[i]);
	}
	SPI_finish();
	return (Datum) 0;
}

pg_noreturn static void
raise_not_delivered(const Consumer *c, int64 event_id)
{
	ereport(
		ERROR,
		(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
		 errmsg("event " INT64_FORMAT " was not delivered to consumer \"%s\"",
				event_id, c->name),
		 errhint("Acknowledge an event that next_events() has returned.")));
}

/*
 * Is there anything to acknowledge?  Raises 22023 if the event was not
 * delivered.  An event that is not there, but has an ID that was used, was
 * pruned, so it was acknowledged before.
 */
static bool
can_acknowledge(const Consumer *c, int64 event_id)
{
	EventPosition event;
	EventHorizon *now;
	bool		  found;

	if (c->window && event_id == c->delivered)
		return event_id > c->acknowledged;
	now = event_horizon_take(c->passed);
	found = event_scan_find(&event, c, consumer_tables(c, false), event_id);
	PopActiveSnapshot();
	if (!found && event_id > 0 && event_id <= now->last_id)
		return false;
	if (found && !consumer_wants(c, event.xid, event_id))
		return false;
	if (!found || c->window == NULL || event_id > c->delivered ||
		!event_horizon_sees(c->window, event.xid, event_id))
		raise_not_delivered(c, event_id);
	return true;
}

/* ack(name, event_id) */
Datum
ordcancel_ack(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Consumer	  c;
	int64		  event_id = PG_ARGISNULL(1) ? 0 : PG_GETARG_INT64(1);
	bool		  acknowledge;

	PreventCommandIfReadOnly("ack()");
	SPI_connect();
	MemoryContextSwitchTo(caller);
	consumer_open(&c, args_text(fcinfo, 0), true);
	/* max(event_id) of no events is null */
	acknowledge = !PG_ARGISNULL(1) && can_acknowledge(&c, event_id);
	if (acknowledge)
	{
		c.acknowledged = event_id;
		if (event_id == c.delivered && c.delivered_all)
			consumer_end_window(&c);
		consumer_save(&c, CONSUMER_ACKNOWLEDGED);
	}
	SPI_finish();
	PG_RETURN_BOOL(acknowledge);
}

/*
 * consumer_role_may_read(role, orders); true if one of them does not exist, as
 * events must not be deleted before they were read.
 */
Datum
ordcancel_consumer_role_may_read(PG_FUNCTION_ARGS)
{
	Oid role = get_role_oid(NameStr(*PG_GETARG_NAME(0)), true);
	Oid orders = PG_GETARG_OID(1);

	PG_RETURN_BOOL(!OidIsValid(role) || get_rel_name(orders) == NULL ||
				   consumer_role_may_read(role, orders));
}

/* find_event(name, event_id): the event table, or NULL */
Datum
ordcancel_find_event(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Consumer	  c;
	EventPosition event;
	bool		  found;

	SPI_connect();
	MemoryContextSwitchTo(caller);
	consumer_load(&c, args_text(fcinfo, 0));
	CommandCounterIncrement();
	PushActiveSnapshot(GetLatestSnapshot());
	found = event_scan_find(&event, &c, consumer_tables(&c, false),
							PG_GETARG_INT64(1));
	PopActiveSnapshot();
	SPI_finish();
	if (!found)
		PG_RETURN_NULL();
	PG_RETURN_OID(event.table);
}

/* The columns of consumer_backlog's result. */
enum
{
	BACKLOG_EVENTS,
	BACKLOG_OLDEST,
};

static const ResultColumn backlog_columns[] = {
	[BACKLOG_EVENTS] = {"events", INT8OID},
	[BACKLOG_OLDEST] = {"oldest", TIMESTAMPTZOID},
};

/* consumer_backlog(name), for the view consumers; takes no lock. */
Datum
ordcancel_consumer_backlog(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Consumer	  c;
	EventBacklog  backlog = {0};
	EventHorizon *now;
	ResultRow	  row;
	TupleDesc	  desc;
	int64		  after;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	SPI_connect();
	MemoryContextSwitchTo(caller);
	consumer_load(&c, args_text(fcinfo, 0));
	if (c.moved)
		consumer_take_over(&c);
	now = event_horizon_take(c.window ? c.window : c.passed);
	after = Min(event_horizon_start(c.window ? c.window : c.passed, now),
				late_events_start(c.window ? c.window : c.passed, c.cluster));
	if (c.window)
		after = Min(after, c.acknowledged);
	else if (c.replay_from > 0)
		after = Min(after, c.replay_from - 1);
	event_scan_backlog(&backlog, &c, consumer_tables(&c, true), after);
	PopActiveSnapshot();
	SPI_finish();

	result_row_begin(&row, desc, backlog_columns, lengthof(backlog_columns));
	result_row_set(&row, BACKLOG_EVENTS, Int64GetDatum(backlog.count), false);
	result_row_time(&row, BACKLOG_OLDEST,
					backlog.count > 0 ? &backlog.oldest : NULL);
	return result_row_datum(&row);
}

/*
 * event_horizon(previous bigint[]): the position of a consumer that begins now.
 */
Datum
ordcancel_event_horizon(PG_FUNCTION_ARGS)
{
	EventHorizon *previous = PG_ARGISNULL(0) ?
		NULL :
		event_horizon_from_array(PG_GETARG_ARRAYTYPE_P(0));
	EventHorizon *now = event_horizon_take(previous);

	PopActiveSnapshot();
	PG_RETURN_ARRAYTYPE_P(event_horizon_to_array(now));
}

/* event_horizon_settled(horizon bigint[]) */
Datum
ordcancel_event_horizon_settled(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64(event_horizon_settled(
		event_horizon_from_array(PG_GETARG_ARRAYTYPE_P(0))));
}

/* event_horizon_first_xid(horizon bigint[]) */
Datum
ordcancel_event_horizon_first_xid(PG_FUNCTION_ARGS)
{
	PG_RETURN_INT64((int64) event_horizon_first_xid(
		event_horizon_from_array(PG_GETARG_ARRAYTYPE_P(0))));
}
