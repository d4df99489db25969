/*
 * event_horizon.h — which transactions' events a reader has seen
 *
 * Event IDs do not tell what is new: a transaction takes an ID before it
 * commits, so an event can become visible after events with higher IDs.  Nor
 * do transaction IDs, for the same reason.  A horizon is a snapshot: all events
 * of transactions below xmax are seen, except those of transactions that were
 * running.  It holds as many numbers as transactions were running, however
 * many events there are.
 *
 * To read events by their index on event_id, a lower bound is needed for the
 * events that are not seen.  insert_events() in record_write.c gets the
 * transaction ID before the event IDs.  So if next_xid was the next
 * transaction ID after the sequence was at last_id, all transactions from
 * next_xid on have only events above last_id.  Those before can have others;
 * for them, an earlier horizon gives the bound, in which they were from
 * next_xid on:
 *
 * - for each running transaction, event_id;
 * - for those between xmax and next_xid, which the snapshot does not list,
 *   early_id.
 *
 * A transaction sees its own events.  In its own horizon it is a running
 * transaction (own_xid) whose events up to event_id are seen.
 *
 * Transaction IDs mean nothing in another database cluster.
 * event_horizon_settled gives an event ID instead, for a position that was moved
 * to another one.
 */
#ifndef ORDCANCEL_EVENT_HORIZON_H
#define ORDCANCEL_EVENT_HORIZON_H

#include "utils/array.h"

typedef struct RunningTransaction
{
	uint64 xid;
	int64  event_id; /* its unseen events are above this one */
} RunningTransaction;

typedef struct EventHorizon
{
	int64			   last_id;
	uint64			   next_xid;
	uint64			   xmax;
	int64			   early_id; /* not above last_id */
	uint64			   own_xid;	 /* the transaction that took it; 0: none */
	int				   count;
	RunningTransaction running[FLEXIBLE_ARRAY_MEMBER]; /* by xid */
} EventHorizon;

/*
 * Takes the horizon of a new snapshot, which becomes the active one; the caller
 * has to call PopActiveSnapshot().  "previous" is an earlier horizon of this
 * database, or NULL if there is none.
 */
extern EventHorizon *event_horizon_take(const EventHorizon *previous);

/*
 * The current transaction, if it has taken a horizon that sees its own events;
 * otherwise an earlier one, or 0.
 */
extern uint64 event_horizon_own_xid(void);

/*
 * Can the horizon not be one of this cluster?  What is completed in it is in the
 * WAL, also after a crash.  A physical copy that was promoted has the system
 * identifier of the cluster that goes on.
 */
extern bool event_horizon_is_foreign(const EventHorizon *horizon);

/* Is an event of this transaction seen? */
extern bool event_horizon_sees(const EventHorizon *horizon, uint64 xid,
							   int64 event_id);

/*
 * The ID above which all events are that "now" sees and "horizon" does not, of
 * two horizons of this database.
 */
extern int64 event_horizon_start(const EventHorizon *horizon,
								 const EventHorizon *now);

/* The ID up to which all events are seen or will never be committed. */
extern int64 event_horizon_settled(const EventHorizon *horizon);

/* The first transaction whose events may not be seen. */
extern uint64 event_horizon_first_xid(const EventHorizon *horizon);

/* The last event ID that was taken; 0 if none was. */
extern int64 last_event_id(void);

/* Conversion to and from bigint[], in which horizons are stored. */
extern ArrayType	*event_horizon_to_array(const EventHorizon *horizon);
extern EventHorizon *event_horizon_from_array(ArrayType *array);

#endif /* ORDCANCEL_EVENT_HORIZON_H */
