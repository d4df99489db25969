/*
 * record.h — finds and writes cancellations and events
 *
 * The records of an order table are in tables of its own, of cancellations,
 * events, and of canceled items, which belong to the owner of the extension.
 * Nothing else writes to them: a trigger (entry/guard.c) refuses statements
 * that do, and these functions write without a statement.  record_read.c and
 * record_search.c read, record_write.c writes.
 *
 * The caller is connected to SPI.  Functions that open a record table raise
 * OC014 if it, a column or an index is missing.  Results are in the current
 * memory context.
 */
#ifndef ORDCANCEL_RECORD_H
#define ORDCANCEL_RECORD_H

#include "nodes/pg_list.h"

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"
#include "rows/index_lookup.h"

/* A row of the event table.  A NULL pointer is a null column. */
typedef struct Event
{
	CancelTarget *order;
	EventType	  type;
	State		  state; /* of the cancellation, after the event */
	const char	 *from;	 /* status of the order before and after */
	const char	 *to;
	Party		  party;
	const char	 *actor;
	const char	 *reason;
	const char	 *data; /* JSON, without metadata */
	Jsonb		 *metadata;
	const char	 *source;	   /* see CancelArgs */
	const char	 *request_key; /* only in the first event of a call */
	TimestampTz	  at;
	int64		  id; /* set by record_events */
} Event;

/*
 * Finds the live cancellation of each open target's order, or else the newest
 * one that has ended, and sets has_record and record.  Raises 40001 if the
 * transaction's snapshot does not show the latest state (possible only at
 * REPEATABLE READ and above).
 */
extern void record_find(CancelTarget *targets, int count);

/*
 * Moves the records of those orders whose record was found in an archive back to
 * the record tables, and finds them there.  To be called before they are changed,
 * or other records of the order are read.
 */
extern void record_take_back(CancelTarget *targets, int count);

/* 40001: records of the order are newer than the transaction's snapshot. */
pg_noreturn extern void record_raise_not_latest(const CancelTarget *c);

/*
 * The same for read-only callers: uses the snapshot of the calling statement
 * and never raises 40001.
 */
extern void record_peek(CancelTarget *targets, int count);

/*
 * Sets c->parts to the cancellations of items of the order that are in
 * progress or canceled.  Follows record_find or record_peek; raises 40001 as
 * the former if the snapshot is READ_CURRENT.
 */
extern void record_find_parts(CancelTarget *c, ReadSnapshot snapshot);

/*
 * Sets c->record to the order's cancellation with this ID; returns false if it
 * has none.
 */
extern bool record_find_id(CancelTarget *c, int64 id);

/* Reads the cancellation with the ID c->record.id again. */
extern void record_reread(CancelTarget *c);

/* Reads the cancellation with that ID in one table; for record_*.c. */
extern void record_find_id_in(CancelTarget *c, Relation rel, int64 id);

/* What the events have about an earlier call with a request key. */
typedef struct RecordedCall
{
	char		*order_key;
	char		*source;
	State		 state;
	char		*order_status;
	TimestampTz *at;
	int64		 cancellation_id;
} RecordedCall;

/* Finds the call that used a request key; returns false if there is none. */
extern bool record_find_request_key(OrderTable *table, const char *key,
									RecordedCall *past);

/*
 * The keys, as text, of orders with a request whose deadline has passed,
 * earliest deadline first.
 */
extern List *record_find_overdue(const OrderTable *table, TimestampTz now);

/*
 * Does the cancellation table have such a request, or can that not be said
 * because it is broken?  Uses the active snapshot, needs no OrderTable, and keeps
 * no lock.
 */
extern bool record_may_be_overdue(Oid cancellation_table, TimestampTz now);

/*
 * Does c->record have a refund by a method that must be settled before
 * an undo (refund_method.on_undo is not "nothing")?
 */
extern bool record_has_unsettled_refund(const CancelTarget *c);

/*
 * Refunds with this reference, or if it is NULL those without one, in any
 * cancellation of the order, as a list of RecordedRefund.
 */
extern List *record_find_refund(const CancelTarget *c, const char *reference);

/*
 * The sum of refunds in cancellations of the order that were undone without
 * being settled, so that the customer still has the money; NULL if there are
 * none.
 */
extern Numeric record_kept_refunds(const CancelTarget *c);

/* Does the order have a cancellation older than c->record? */
extern bool record_has_earlier(const CancelTarget *c);

/* The unique index on request_key of an event table. */
typedef struct RequestKeyIndex
{
	char *schema;
	char *table;
	char *name; /* NULL: the index does not exist */
} RequestKeyIndex;

extern RequestKeyIndex record_request_key_index(const OrderTable *table);

/* Is the error a violation of that index? */
extern bool record_request_key_taken(const RequestKeyIndex *index,
									 const ErrorData	   *error);

/* Sets record.id and has_record of new cancellations. */
extern void record_number(CancelTarget **targets, int count);


/* Inserts the cancellations of the targets, which have been numbered. */
extern void record_insert(CancelTarget **targets, int count);

/*
 * Updates the cancellation of a target from c->record.  Raises 40001 if
 * another transaction has updated it.
 */
extern void record_update(CancelTarget *c);

/*
 * Inserts events, all of one order table, and sets their IDs.  Raises OC011 if
 * a concurrent call has used the request key.
 */
extern void record_events(Event *list, int count);

/* Inserts what the targets' cancellations mean of items.  record_items.c */
extern void record_insert_items(CancelTarget *targets, int count);

/*
 * Updates items on record: fixes quantity, refund_due and prior_status when a
 * request is accepted, and restored when the cancellation is undone.
 */
extern void record_update_items(CancelTarget *c);

/* The items of a cancellation, as a list of RecordItem. */
extern List *record_items_of(const CancelTarget *c, int64 cancellation_id,
							 ReadSnapshot snapshot);

/*
 * Erases what persons wrote and are named by from all records of the order,
 * and with "roles" also session_role; record_forget.c lists the columns.
 * Returns false if nothing was left to erase.
 */
extern bool record_forget(const CancelTarget *c, bool roles);

/* Begins lookups of cancellations by ID; see index_lookup_begin. */
extern void record_lookup_by_id(IndexLookup *lookup, const OrderTable *table,
								Relation rel, ReadSnapshot snapshot);

/*
 * The same in a record table of any kind, which may have several rows of a
 * cancellation, with READ_LATEST.  record_forget.c
 */
extern void record_lookup_by_cancellation(IndexLookup *lookup, Relation rel);

/*
 * The numbers of an order's cancellations, as a list that can stand in a
 * condition: NULL, 1, 2.
 */
extern char *record_numbers(OrderTable *table, const Datum *key);

#endif /* ORDCANCEL_RECORD_H */
