/*
 * cancel_target.h — one order on its way through a call
 *
 * A set of orders is an array of these, a verb an array of one, and the guard
 * makes one from the row that it is shown.  order_row.c fills the order's
 * part, record.c the cancellation's, lifecycle.c asks the question.
 */
#ifndef ORDCANCEL_CANCEL_TARGET_H
#define ORDCANCEL_CANCEL_TARGET_H

#include "access/htup.h"
#include "storage/itemptr.h"
#include "utils/numeric.h"

#include "config/order_table.h"
#include "decision/refusal.h"

/* A row of the cancellation table. */
typedef struct Cancellation
{
	int64		 id;
	State		 state;
	Party		 requested_by;
	char		*requested_actor;
	bool		 decided;
	Party		 decided_by;
	char		*decided_actor;
	char		*reason;
	char		*note;
	char		*decision_note;
	char		*undo_note;
	char		*prior_status;
	char		*order_status; /* what the order was given, or had, last */
	char		*policy;
	char		*request_key;
	Numeric		 refund_due;
	Numeric		 refunded;
	TimestampTz *requested_at;
	TimestampTz *decided_at;
	TimestampTz *closed_at;
	TimestampTz *deadline;
} Cancellation;

/* A refund that is on record. */
typedef struct RecordedRefund
{
	Numeric amount;
	char   *method;
} RecordedRefund;

typedef struct CancelTarget CancelTarget;

/* What the caller said. */
typedef struct CancelArgs
{
	Verb		verb;
	Party		party;
	bool		either_party; /* withdraw: whoever asked, if it may be both */
	const char *source;		  /* the verb's name, or "update" */
	char	   *reason;
	char	   *note;
	char	   *actor;
	char	   *request_key;
	bool		settled;
	bool		has_amount;
	Numeric		amount;
	char	   *method;
	char	   *reference;
	int64		batch;		 /* of cancel_batch; 0: none */
	bool		skip_locked; /* leave what others have locked */
	bool		order_gone;	 /* only its request is left, and denied */
	TimestampTz now;

	/* Asked of each order under its lock: is it still to be done? */
	bool (*matches)(CancelTarget *c, void *arg);
	void *matches_arg;
} CancelArgs;

/* How far an order has come in a call. */
typedef enum TargetResult
{
	TARGET_OPEN, /* still on its way */
	TARGET_DONE, /* the outcome says whether anything was changed */
	TARGET_NOT_FOUND,
	TARGET_LOCKED, /* by somebody else */
	TARGET_REFUSED,
	TARGET_SKIPPED, /* not wanted any more */
} TargetResult;

/* What a call did to one order. */
typedef struct Outcome
{
	Refusal		 refusal; /* of TARGET_REFUSED */
	bool		 changed;
	bool		 has_record;
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
	Datum	   *key;
	char	   *key_text;

	/* the order row, locked */
	ItemPointerData tid; /* invalid where the rows are in partitions */
	TransactionId	xmin;
	HeapTuple		row;	 /* in the table's shape, or NULL: it is stored */
	Oid				row_rel; /* here */
	ItemPointerData row_tid;
	char *status; /* as the rules write it, see status_equality_canonical */
	char *raw_status; /* as the row has it */
	TimestampTz	 *placed_at;
	char		 *policy_name; /* what the row names */
	const Policy *policy;	   /* what governs */
	StatusKind	  kind; /* of its status, see policy_cache_status_kind */

	/* its facts, see order_expr_evaluate: only if something depends on them */
	bool			 expr_needed;
	bool			 expr_known;
	Numeric			 refund_due; /* as the expression says */
	const BlockRule *customer_block;
	const BlockRule *merchant_block;

	/* its live cancellation, else the newest ended one */
	bool		 has_record;
	Cancellation record;

	/* what is to be paid back, see decision_input_from_target */
	bool	owed_known;
	Numeric owed; /* or NULL */
	RecordedRefund
		*recorded; /* another refund with the reference of this one */

	DecisionInput input;
	Decision	  decision;
	const char	 *next_status; /* that it has afterwards, whoever gives it */

	TargetResult result;
	Outcome		 outcome;
};

#endif /* ORDCANCEL_CANCEL_TARGET_H */
