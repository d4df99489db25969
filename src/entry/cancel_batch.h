/*
 * cancel_batch.h — what the files of cancel_batch share
 *
 * cancel_batch.c has the procedures, batch_run.c processes chunk after chunk,
 * batch_choice.c, batch_source.c and batch_condition.c select the orders,
 * batch_chunk.c takes the next of them, batch_groups.c counts outcomes, and
 * batch_record.c reads and writes ordcancel.batch and the tables that belong to
 * it.
 */
#ifndef ORDCANCEL_CANCEL_BATCH_H
#define ORDCANCEL_CANCEL_BATCH_H

#include "utils/tuplestore.h"

#include "rows/cancel_target.h"

/* The outcome of an order of a batch. */
typedef enum BatchOutcome
{
	BATCH_CANCELED,
	BATCH_IN_PROGRESS,
	BATCH_REQUESTED,
	BATCH_ALREADY, /* nothing to change */
	BATCH_REFUSED,
	BATCH_SKIPPED, /* the condition is no longer true */
	BATCH_WAITING, /* locked by another transaction, to be tried later */
	BATCH_OUTCOMES,
} BatchOutcome;

/* The version of the order's row that was selected. */
typedef struct RowVersion
{
	ItemPointerData tid;
	TransactionId	xmin;
	Oid				place; /* the relation that it is in */
} RowVersion;

typedef struct Batch
{
	/* its row in ordcancel.batch */
	int64	   id;
	Oid		   relid; /* of ordcancel.batch itself */
	Oid		   orders;
	Oid		   items; /* the condition is over these; InvalidOid: orders */
	char	  *condition;
	Oid		   author;		/* InvalidOid: the role was dropped */
	char	  *search_path; /* the author's settings, for the condition */
	char	  *date_style;
	char	  *time_zone;
	int		   chunk; /* orders per transaction */
	bool	   dry_run;
	CancelArgs args;
	int64	   counts[BATCH_OUTCOMES];
	int64	   total;
	char	  *last_key; /* of the last committed chunk, or NULL */
	int64	   busy;	 /* microseconds that earlier runs took */

	/* this run */
	TimestampTz started;
	TimestampTz reported; /* time of the last progress NOTICE */
	bool		resumed;
	bool		resumable; /* a step of this run has been committed */

	/* the selected orders, sorted by key */
	Tuplestorestate *chosen;
	TupleDesc		 chosen_desc;
	int64			 left; /* number of those not processed yet */

	/* of items: the order counted last, and the first row of the next chunk */
	MemoryContext	counted_context;
	Datum		   *counted_key;
	TupleTableSlot *next;

	/* the current chunk */
	OrderTable	 *table;
	CancelTarget *targets;

	/* of targets; NULL for items, and while processing BATCH_WAITING */
	RowVersion	 *versions;
	int			  count;
	int64		  waiting_number; /* batch_order.number of the waiting order */
	MemoryContext context;		  /* holds the chunk, reset before each */
} Batch;

/* What the condition of a batch is over. */
typedef struct BatchSource
{
	OrderTable		 *table;
	struct ItemTable *items; /* NULL: the orders themselves */
} BatchSource;

/* batch_run.c: runs a batch, committing each chunk; a dry run only counts. */
extern void batch_run(Batch *batch);
extern void batch_run_dry(Batch *batch);

/*
 * batch_choice.c: batch_choose fills batch->chosen, for which the author must be
 * the current role, and batch_release_chosen frees it, also after an error.
 */
extern void batch_choose(Batch *batch);
extern void batch_release_chosen(Batch *batch);

/* batch_chunk.c: takes the orders of the next chunk from batch->chosen. */
extern void batch_take_chunk(Batch *batch);

/* Of a batch of items: sets c->item_args to those that meet the condition. */
extern void batch_choose_items(const Batch *batch, CancelTarget *c);

/*
 * batch_condition.c: does the locked order still meet the condition?  A
 * callback for CancelArgs.matches.
 */
extern bool batch_still_matches(CancelTarget *c, void *batch);

/* The same for a locked item; a callback for CancelArgs.item_matches. */
extern bool batch_item_still_matches(const CancelTarget *c,
									 const ItemTarget	*item,
									 const ItemArg *arg, void *batch);

/* batch_record.c: the batch tables, accessed as the extension's owner. */
extern void batch_create(Batch *batch);

/* Returns true if the batch is done.  Raises 42704 if there is none. */
extern bool batch_load(Batch *batch, int64 id);
extern void batch_save_total(Batch *batch);
extern void batch_save_chunk(Batch *batch, bool waited);
extern void batch_save_end(Batch *batch, const ErrorData *error);

/* The key of the first waiting order, or NULL if there is none. */
extern char *batch_first_waiting(Batch *batch);

/* Sends the outcomes of a dry run as NOTICEs. */
extern void batch_report_summary(Batch *batch);

extern BatchOutcome batch_outcome(const CancelTarget *c);

/* A number of orders with the same policy, status and outcome. */
typedef struct OutcomeGroup
{
	const char	*policy;   /* NULL: an error came before it was known */
	const char	*status;   /* before the batch */
	const char	*hint;	   /* of the rule or block, if refused */
	const char	*sqlstate; /* if refused */
	const char	*message;  /* of the first order of the group, if refused */
	BatchOutcome outcome;
	int64		 count;
} OutcomeGroup;

/* batch_groups.c: the orders of the current chunk, as OutcomeGroups. */
extern List *batch_groups(const Batch *batch);

#endif /* ORDCANCEL_CANCEL_BATCH_H */
