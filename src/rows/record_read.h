/*
 * record_read.h — the cancellation and event rows
 *
 * The only writer of the record tables.  They belong to the owner of the
 * extension, and their guard (guard.c) refuses every statement that writes
 * there; what is written here is none.  The caller is connected to SPI.
 */
#ifndef ORDCANCEL_RECORD_READ_H
#define ORDCANCEL_RECORD_READ_H

#include "nodes/pg_list.h"

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"
#include "rows/index_lookup.h"

typedef struct Event
{
	CancelTarget *order;
	EventType	  type;
	State		  state;
	const char	 *from;
	const char	 *to;
	Party		  party;
	const char	 *actor;
	const char	 *reason;
	const char	 *data;		   /* JSON, or NULL */
	const char	 *source;	   /* the function, or "update" */
	const char	 *request_key; /* of the call; on its first event */
	TimestampTz	  at;
	int64		  id; /* given by record_events */
} Event;

/*
 * Finds, of the cases that are open, the order's live cancellation or else its
 * newest one; sets has_record and record.  Sees all that is committed, and in
 * the stricter isolation levels errors when the transaction may not build on
 * it.
 */
extern void record_find(CancelTarget *targets, int count);

/* The same without locks or errors, for cancel_options. */
extern void record_peek(CancelTarget *targets, int count);

/* Reads c->record.id again; a trigger of the user may have changed it. */
extern void record_reread(CancelTarget *c);

/*
 * Finds the call that used a request key.  Returns false if there was none.
 */
typedef struct RecordedCall
{
	char		*order_key;
	char		*source;
	State		 state;
	char		*order_status;
	TimestampTz *at;
	int64		 cancellation_id;
} RecordedCall;

extern bool record_find_request_key(OrderTable *table, const char *key,
									RecordedCall *past);

/* The keys, as text, of orders whose request is overdue; NIL when none is. */
extern List *record_overdue(OrderTable *table, TimestampTz now);

/* Was money given back by a method that has to be settled before an undo? */
extern bool record_unsettled(OrderTable *table, int64 cancellation_id);

/*
 * The refunds of the order, of whichever cancellation, that have this
 * reference: RecordedRefund's.
 */
extern List *record_find_refund(const CancelTarget *c, const char *reference);

/*
 * What was paid back in cancellations of the order that have ended, and was
 * not settled by their undo; NULL is nothing.
 */
extern Numeric record_kept(const CancelTarget *c);

/* Has the order a cancellation before c->record?  True where not known. */
extern bool record_has_earlier(const CancelTarget *c);

/* Is it a key that was used already which made this error? */
typedef struct RequestKeyIndex
{
	char *schema;
	char *table;
	char *name; /* NULL: the owner has dropped it */
} RequestKeyIndex;

extern RequestKeyIndex record_request_key_index(const OrderTable *table);
extern bool			   record_request_key_taken(const RequestKeyIndex *index,
												const ErrorData		  *error);

extern void record_insert(CancelTarget **targets, int count);
extern void record_update(CancelTarget *c);
extern void record_events(Event *list, int count);

/* Opens a record table; OC014 where it was dropped. */
extern Relation record_open(Oid relid, LOCKMODE lock);

/* Begins to look for cancellations by their id. */
extern void record_lookup_by_id(IndexLookup *lookup, const OrderTable *table,
								Relation rel, ReadSnapshot snapshot);

/* The name of a record table, for SQL; OC014 where it was dropped. */
extern char *record_table_label(Oid relid);

#endif /* ORDCANCEL_RECORD_READ_H */
