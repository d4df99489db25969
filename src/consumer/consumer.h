/*
 * consumer.h — the row of a consumer: locking, loading, saving
 *
 * The unacknowledged events of a consumer are
 *
 *     not seen in "passed", or from "replay_from" on,
 *     and not both seen in "window" and at or below "acknowledged".
 *
 * A window is the set of events between two horizons.  It stays the same while
 * its events are delivered in the order of their IDs and acknowledged, so that
 * "acknowledged" can be one number.  When all are acknowledged, the window
 * becomes "passed", and the next one begins.
 */
#ifndef ORDCANCEL_CONSUMER_H
#define ORDCANCEL_CONSUMER_H

#include "consumer/event_horizon.h"

typedef struct Consumer
{
	char  *name;
	Oid	   orders; /* the order table, or InvalidOid: all */
	Oid	   role;   /* the owner; InvalidOid: the role was dropped */
	Datum *types;  /* texts: the types of events; NULL: all */
	int	   ntypes;

	EventHorizon *passed;
	EventHorizon *window;	   /* NULL: there is none */
	int64		  replay_from; /* 0: nothing is replayed */
	int64		  acknowledged;

	/* The last event of the window that was delivered. */
	int64 delivered;
	bool  delivered_all; /* is it the last one of the window? */

	/* Events that were set aside by skip_event(), in ascending order. */
	int64 *skipped;
	int	   nskipped;

	uint32 number;	/* by which it is locked */
	int64  cluster; /* of the transaction IDs in its position */

	/* Was the position moved here from another database? */
	bool moved;

	bool polled_long_ago; /* has next_events() saved nothing for minutes? */
} Consumer;

/*
 * Locks a consumer until the end of the transaction, and reads it.  If another
 * worker has it locked, waits, or returns false.  The row is not locked, so
 * that a poll that finds nothing writes nothing.  A position that was moved
 * here is taken over.  Raises as consumer_load does.  Requires SPI, as do the
 * functions below.
 */
extern bool consumer_open(Consumer *c, const char *name, bool wait);

/*
 * Reads a consumer.  Raises 42704 if it does not exist, 42501 if the current
 * role is not a member of its owner.
 */
extern void consumer_load(Consumer *c, const char *name);

typedef enum ConsumerChange
{
	CONSUMER_MOVED,		/* its position only */
	CONSUMER_DELIVERED, /* events were handed out */
	CONSUMER_ACKNOWLEDGED,
} ConsumerChange;

extern void consumer_save(const Consumer *c, ConsumerChange change);

/* Makes the window "passed": all its events are acknowledged. */
extern void consumer_end_window(Consumer *c);

/*
 * Expresses the position of a consumer that was moved here by its event IDs.
 * Events above the settled ones are delivered again.
 */
extern void consumer_take_over(Consumer *c);

/* Is a visible event with this ID, of this transaction, unacknowledged? */
extern bool consumer_wants(const Consumer *c, uint64 xid, int64 event_id);

#endif /* ORDCANCEL_CONSUMER_H */
