/*
 * event_scan.h — reads events from many tables by index
 *
 * The tables are those of consumer_tables().  One whose index on event_id shows
 * that it has nothing new is not opened.  Any other is opened, searched by that
 * index if the consumer's owner may read it, and closed and unlocked at once.
 */
#ifndef ORDCANCEL_EVENT_SCAN_H
#define ORDCANCEL_EVENT_SCAN_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "nodes/pg_list.h"

#include "consumer/consumer.h"

typedef struct EventBatch
{
	TupleDesc  desc; /* of ordcancel.event */
	HeapTuple *rows; /* in the order of their IDs */
	int64	  *ids;
	int		   count;
	int64	   examined; /* rows that were read */
} EventBatch;

/*
 * Reads the first events after "after", at most "limit", of the consumer's
 * window that are not acknowledged and not set aside.  As the active snapshot
 * sees them; the window must not be newer.
 */
extern void event_scan_window(EventBatch *batch, const Consumer *c,
							  List *tables, int64 after, int limit);

/* What a consumer has not acknowledged. */
typedef struct EventBacklog
{
	int64		count;
	TimestampTz oldest; /* the lowest time of these events */
} EventBacklog;

extern void event_scan_backlog(EventBacklog *backlog, const Consumer *c,
							   List *tables, int64 after);

/* Finds an event; returns false if none of the tables has it. */
typedef struct EventPosition
{
	int64  event_id;
	uint64 xid; /* 0: of another database cluster, so seen in any horizon */
	Oid	   table;
} EventPosition;

extern bool event_scan_find(EventPosition *found, const Consumer *c,
							List *tables, int64 event_id);

#endif /* ORDCANCEL_EVENT_SCAN_H */
