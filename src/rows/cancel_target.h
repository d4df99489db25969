/*
 * cancel_target.h — one order in a call, with all that is known about it
 *
 * Functions that act on orders take an array of CancelTargets, all of one order
 * table; for a single order, the array has one element.  The caller sets
 * "table" and "key", or fills the target from a row (order_from_tuple).
 * order_row.c adds the order, record_read.c its cancellation, order_expr.c
 * the results of the owner's expressions, and lifecycle/ the decision and the
 * outcome.
 *
 * What a target points to is in the memory context of the call.  The table,
 * its policies and its blocks are in the cache, where they stay valid until
 * the transaction ends.
 */
#ifndef ORDCANCEL_CANCEL_TARGET_H
#define ORDCANCEL_CANCEL_TARGET_H

#include "access/htup.h"
#include "nodes/pg_list.h"
#include "storage/itemptr.h"
#include "utils/jsonb.h"
#include "utils/numeric.h"

#include "config/order_table.h"
#include "decision/refusal.h"

/* A row of the cancellation table.  A NULL pointer is a null column. */
typedef struct Cancellation
{
	int64			id;
	char		   *order_key; /* of the order, as text; NULL: not read */
	State			state;
	Party			requested_by;
	char		   *requested_actor;
	bool			decided;	/* decided_by is not null */
	Party			decided_by; /* valid only if decided */
	char		   *decided_actor;
	char		   *reason;
	char		   *note;
	char		   *decision_note;
	char		   *undo_note;
	char		   *prior_status; /* the order's, before the cancellation */
	char		   *order_status; /* the order's, after the latest step */
	char		   *policy;
	char		   *request_key;
	Numeric			refund_due;
	Numeric			refunded;
	Numeric			refund_owed; /* refund_due is less if that was agreed */
	Jsonb		   *metadata;
	TimestampTz	   *requested_at;
	TimestampTz	   *decided_at;
	TimestampTz	   *closed_at;
	TimestampTz	   *deadline;
	bool			items;			 /* the scope: some items, not the order */
	struct varlena *prior_values;	 /* jsonb, see prior_values.h */
	Numeric			refund_kept;	 /* by which earlier refunds lowered it */
	TimestampTz	   *first_closed_at; /* if it was in progress again since */
} Cancellation;

/* A value that also_set() gives to a column of an order. */
typedef struct AlsoSetValue
{
	const Column *column;
	Datum		  value;
	bool		  isnull;
	char		 *prior; /* the value before, as text; NULL: null */
} AlsoSetValue;

/* A refund found in the event table. */
typedef struct RecordedRefund
{
	Numeric amount;
	char   *method;
	int64	cancellation_id;
} RecordedRefund;

/* What a call says about one item. */
typedef struct ItemArg
{
	Datum  *key; /* values of the item's key columns */
	char   *key_text;
	Numeric quantity; /* NULL: all that can be canceled */
	char   *reason;	  /* of this item; NULL: the cancellation's */
	char   *note;

	/* in a batch: what can be canceled, and the row version selected */
	bool			if_any; /* left out if nothing is left to cancel */
	ItemPointerData tid;
	TransactionId	xmin;
} ItemArg;

/* An item of an order; quantities are in its units, never NULL once read. */
typedef struct ItemTarget
{
	Datum		   *key;
	char		   *key_text;
	HeapTuple		row; /* in the row type of the table of items */
	Oid				row_rel;
	ItemPointerData tid;
	TransactionId	xmin;
	const ItemArg  *arg; /* the argument that means it, or NULL */
	Numeric			ordered;
	Numeric			canceled;
	char		   *status; /* NULL if the item's units are counted */

	/* of items that this call cancels or gives back units of */
	bool		meant;
	bool		to_lock;
	bool		recorded; /* the cancellation's record has it already */
	bool		locked;
	Numeric		wanted;	   /* units; NULL: all that can be canceled */
	Numeric		fulfilled; /* NULL: not evaluated */
	Numeric		take;	   /* units that are canceled; negative: given back */
	Numeric		before;	   /* the amount as the item stands; NULL: not known */
	Numeric		drop; /* what it falls by; NULL: not known, or no amount */
	Numeric		due;  /* to give back: the refund_due on record */
	const char *reason;
	const char *note;
	const char *prior_status; /* to give back, or from the record */
} ItemTarget;

/* A row of the item record table. */
typedef struct RecordItem
{
	Datum  *key;
	char   *item_key;
	bool	integer_key; /* the key is one column of an integer type */
	Numeric quantity;
	Numeric refund_due;
	Numeric restored; /* what the amount rose by when it was undone, or NULL */
	char   *reason;
	char   *note;
	char   *prior_status;
} RecordItem;

typedef struct CancelTarget CancelTarget;

/* The arguments of a call; a trigger makes them up for a plain write. */
typedef struct CancelArgs
{
	Verb		verb;
	Party		party;
	bool		either_party; /* withdraw: as the party that requested it */
	const char *source;		  /* the function's name, "update" or "sweep" */
	char	   *reason;
	char	   *note;
	char	   *actor;
	char	   *request_key;
	bool		settled;	/* undo: the refunds were settled */
	bool		has_amount; /* amount is not null */
	Numeric		amount;		/* record_refund; adjust_refund: what is due */
	Numeric		refund;		/* what is due if it is accepted, or NULL */
	Jsonb	   *metadata;
	char	   *method;
	char	   *reference;
	int64		cancellation_id; /* 0: the one that is meant is looked for */
	int64		batch;			 /* ID of the batch; 0 if not in a batch */
	bool		skip_locked;	 /* do not wait for locked orders */
	bool		order_gone;		 /* the order row no longer exists */
	bool		writes_orders;	 /* also_set() applies; no plain write */
	TimestampTz now;			 /* taken once the orders are locked */

	/*
	 * Called for each order after it was locked; the order is skipped if it
	 * returns false.  NULL: all orders are processed.
	 */
	bool (*matches)(CancelTarget *c, void *arg);

	/*
	 * Called for each item of c->item_args after it was locked; the item is
	 * left out if it returns false.  NULL: all are processed.
	 */
	bool (*item_matches)(const CancelTarget *c, const struct ItemTarget *item,
						 const struct ItemArg *given, void *arg);
	void *matches_arg;
} CancelArgs;

typedef enum TargetResult
{
	TARGET_OPEN,	  /* not finished yet */
	TARGET_DONE,	  /* outcome.changed: was anything written? */
	TARGET_NOT_FOUND, /* or not visible to the caller */
	TARGET_LOCKED,	  /* by another transaction */
	TARGET_REFUSED,	  /* outcome.refusal says why */
	TARGET_SKIPPED,	  /* CancelArgs.matches returned false */
} TargetResult;

/* What the caller of a function gets to know about one order. */
typedef struct Outcome
{
	Refusal		 refusal; /* only for TARGET_REFUSED */
	bool		 changed;
	bool		 has_record; /* cancellation_id is valid */
	int64		 cancellation_id;
	State		 state;
	char		*order_status;
	Numeric		 refund_due;
	Numeric		 refunded;
	TimestampTz *requested_at;
	TimestampTz *decided_at;
	TimestampTz *closed_at;
} Outcome;

struct CancelTarget
{
	OrderTable *table;
	Datum	   *key;	  /* table->nkeys values */
	char	   *key_text; /* NULL until the order was read */

	/* the row version that was locked or read */
	HeapTuple		row;   /* in the table's row type; NULL: fetch it */
	Oid				place; /* from this relation, see place.h */
	ItemPointerData tid;
	TransactionId	xmin; /* only if order_row.c has read it */

	/* the order */
	char *status; /* as the rules spell it, see status_equality_canonical */
	char *raw_status; /* as the row has it */
	TimestampTz	 *placed_at;
	TimestampTz	 *status_since; /* NULL also if there is no such column */
	char		 *policy_name;	/* from the policy_by column, or NULL */
	const Policy *policy;		/* the one that applies */
	StatusKind	  kind; /* of the status, see policy_cache_status_kind */

	bool deleted;		/* see order_find_deleted */
	bool check_deleted; /* a BEFORE trigger may have made it so */

	/* results of the owner's expressions, see order_expr_evaluate */
	bool			 expr_needed; /* the decision depends on them */
	bool			 expr_known;  /* they were evaluated */
	Numeric			 refund_due;
	const BlockRule *customer_block; /* the first one that applies, or NULL */
	const BlockRule *merchant_block;

	/* the live cancellation, or else the newest one that has ended */
	bool		 has_record;
	bool		 any_record; /* the order has cancellations, of any scope */
	Oid			 archive;	 /* in which the record is, or InvalidOid */
	Cancellation record;

	/* parts of the order: cancellations of items in progress or canceled */
	bool	parts_known;
	List   *parts;	   /* of Cancellation */
	List   *undone;	   /* IDs, as int64 *, of cancellations that were undone */
	Numeric parts_due; /* the sum of their refund_due */
	Numeric parts_drop; /* the sum of what their items' amounts fell by */
	char   *ambiguous;	/* the IDs of several that could be meant */
	bool	closed;		/* the order itself is in progress or canceled */

	/* items, if the order table has any and the decision needs them */
	struct ItemTable *item_table;
	List			 *item_args; /* of ItemArg: those that the call means */
	bool			  items_known;
	List			 *items; /* of ItemTarget, in the order of their keys */
	bool			  items_same;	/* the call means what is requested */
	bool			  items_others; /* others than c->items have units left */
	ItemsCheck		  items_check;
	bool	items_fulfilled; /* some units cannot be canceled any more */
	bool	items_all;		 /* nothing of the order would be left */
	char   *items_detail;	 /* the item that is the cause of a refusal */
	Numeric items_drop;		 /* the sum for the items meant; NULL: no amount */

	/* refund_due less refunds of earlier cancellations; see compute_owed */
	bool			owed_known;
	Numeric			owed;		   /* NULL: there is no refund_due */
	Numeric			kept;		   /* what such refunds lowered it by */
	Numeric			lost;		   /* of that, what has failed now */
	Numeric			refund_wanted; /* CancelArgs.refund, rounded */
	Numeric			due_before;	   /* adjust_refund: what was due */
	RecordedRefund *recorded;	   /* a refund with this reference */

	DecisionInput input;
	Decision	  decision;
	const char	 *next_status; /* the order's, after the call */
	AlsoSetWhen	  also_set_when;
	List		 *also_set; /* of AlsoSetValue; NIL until they are evaluated */
	bool also_set_changed;	/* a BEFORE trigger has changed such a value */

	TargetResult result;
	Outcome		 outcome;
};

#endif /* ORDCANCEL_CANCEL_TARGET_H */
