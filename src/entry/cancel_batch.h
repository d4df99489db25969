/*
 * cancel_batch.h — what the rooms of the batch share
 *
 * batch.c is called, batch_run.c goes from chunk to chunk, batch_choice.c finds
 * the orders, batch_record.c keeps the rows in ordcancel.batch and beside it.
 */
#ifndef ORDCANCEL_CANCEL_BATCH_H
#define ORDCANCEL_CANCEL_BATCH_H

#include "utils/tuplestore.h"

#include "rows/cancel_target.h"

/* What can become of an order of a batch. */
typedef enum BatchOutcome
{
	BATCH_CANCELED,
	BATCH_IN_PROGRESS,
	BATCH_REQUESTED,
	BATCH_ALREADY,
	BATCH_REFUSED,
	BATCH_SKIPPED, /* the condition does not hold any more */
	BATCH_WAITING, /* somebody else has it locked */
	BATCH_OUTCOMES,
} BatchOutcome;

/* The version of an order's row that was chosen. */
typedef struct RowVersion
{
	ItemPointerData tid;
	TransactionId	xmin;
} RowVersion;

typedef struct Batch
{
	int64	   id;
	Oid		   relid; /* ordcancel.batch, which it is a row of */
	Oid		   orders;
	char	  *condition;
	Oid		   author;
	char	  *search_path; /* that the condition was written for */
	char	  *date_style;	/* its literals are read with these */
	char	  *time_zone;
	int		   chunk;
	bool	   dry_run;
	CancelArgs args;

	int64		counts[BATCH_OUTCOMES];
	int64		total;
	char	   *last_key; /* of the last chunk, or NULL */
	int64		busy;	  /* microseconds that earlier runs took */
	TimestampTz started;  /* of this run */
	TimestampTz told;	  /* when it last told its client */
	bool		resumed;
	bool		resumable; /* a step of this run is committed */

	/* the orders that were chosen, and the part of them at hand */
	Tuplestorestate *chosen;
	TupleDesc		 chosen_desc;
	int64			 left; /* of them that are not taken yet */
	OrderTable		*table;
	CancelTarget	*targets;
	RowVersion		*versions;
	int				 count;

	int64 waiting_number; /* of the row of the order that is waited for */

	/* The rows of the chunk at hand live here. */
	MemoryContext context;
} Batch;

/* batch_run.c: commits after each chunk; a dry run does nothing but count. */
extern void batch_run(Batch *batch);
extern void batch_run_dry(Batch *batch);

/* batch_choice.c: as the author of the batch, who is the current role. */
extern void batch_choose(Batch *batch);
extern void batch_take_chunk(Batch *batch);
extern void batch_forget_chosen(Batch *batch);

/* batch_condition.c: is the order still to be canceled? */
extern bool batch_still_matches(CancelTarget *c, void *batch);

/* batch_record.c: as the owner of the extension. */
extern void batch_create(Batch *batch);
/* Returns whether it is done already. */
extern bool	 batch_load(Batch *batch, int64 id);
extern void	 batch_save_total(Batch *batch);
extern void	 batch_save_chunk(Batch *batch, bool waited);
extern void	 batch_save_end(Batch *batch, const ErrorData *error);
extern char *batch_first_waiting(Batch *batch);
extern void	 batch_tell_summary(Batch *batch);

extern BatchOutcome batch_outcome(const CancelTarget *c);

/* batch_groups.c: what became of the orders of a chunk, as OutcomeGroups. */
typedef struct OutcomeGroup
{
	const char	*policy;
	const char	*status;
	const char	*hint;
	const char	*sqlstate;
	const char	*message; /* of the first of them */
	BatchOutcome outcome;
	int64		 count;
} OutcomeGroup;

extern List *batch_groups(const Batch *batch);

#endif /* ORDCANCEL_CANCEL_BATCH_H */
