/*
 * late_events.h — events that replication inserts
 *
 * A replicated event has an ID of another database.  It is given the
 * transaction that inserts it here, so that horizons tell whether it was seen.
 * If its ID is above the last one of the sequence here, readers find it like
 * an event that was written here: no horizon that was taken before the
 * transaction began has a higher last_id.  Otherwise it is late, and is noted
 * in ordcancel.late_event.
 */
#ifndef ORDCANCEL_LATE_EVENTS_H
#define ORDCANCEL_LATE_EVENTS_H

#include "consumer/event_horizon.h"

/*
 * Notes an event of this transaction if it is late.  Raises 0A000 if the
 * transaction has read events: its own horizon would have seen it.
 */
extern void late_events_note(uint64 xid, int64 event_id);

/*
 * The ID above which all late events are that "horizon" does not see and the
 * active snapshot does; the highest possible one if there are none.  "cluster" is
 * that of the horizon's transactions.
 */
extern int64 late_events_start(const EventHorizon *horizon, int64 cluster);

#endif /* ORDCANCEL_LATE_EVENTS_H */
