/*
 * refusal.h — every message of a refusal, in one place
 *
 * A refusal is made here from the question, its verdict and a few names, and
 * then either raised as the function's own SQLSTATE, raised as an integrity
 * error of the plain write that caused it, or shown as data (cancel_options,
 * the batch).
 */
#ifndef ORDCANCEL_REFUSAL_H
#define ORDCANCEL_REFUSAL_H

#include "utils/relcache.h"

#include "base/compat.h"
#include "decision/decision.h"

typedef struct Refusal
{
	Condition condition; /* CONDITION_NONE: an error of somebody else's */
	int		  sqlstate;
	bool	  of_setup; /* raised as itself also of a plain write */
	char	 *message;
	char	 *detail; /* or NULL */
	char	 *hint;	  /* or NULL */
} Refusal;

/* What a message names beside what the question holds. */
typedef struct RefusalDetail
{
	const char *table; /* quoted and qualified */
	const char *order; /* its key as text */
	const char *to;	   /* plain write: the status it wanted */
	const char *block; /* name and hint of the block that holds */
	const char *block_hint;
	const char *reason;
	const char *due; /* refund_due and refunded, as text */
	const char *refunded;
	const char *method;
	const char *reference; /* and what is on record under it */
	const char *recorded_amount;
	const char *recorded_method;
} RefusalDetail;

extern const char *condition_name(Condition condition);
extern int		   condition_sqlstate(Condition condition);

extern Refusal refusal_explain(const RefusalDetail *names,
							   const DecisionInput *q, const Decision *v);

/* The order is not there, or not for the caller; "why" may be NULL. */
extern Refusal refusal_not_found(const char *table, const char *order,
								 const char *why);

/* Any error, as a refusal. */
extern Refusal refusal_of_error(const ErrorData *error);

pg_noreturn extern void refusal_raise(const Refusal *refusal);

/* As a check violation of rel, with the condition as constraint name. */
pg_noreturn extern void refusal_raise_write(const Refusal *refusal,
											Relation	   rel);

/* The refusals that need no question; each raises its function's SQLSTATE. */
pg_noreturn extern void refusal_raise_not_attached(Oid relid);
pg_noreturn extern void refusal_raise_invalid_policy(const char *message,
													 const char *detail,
													 const char *hint);

/*
 * In a PG_CATCH: raises what an owner's text ran into as invalid_policy, with
 * the hint, or its own where that is NULL.  What is no fault of the text goes
 * on.  "caller" is the memory context of before.
 */
pg_noreturn extern void refusal_rethrow_invalid_policy(MemoryContext caller,
													   const char	*message,
													   const char	*hint);
pg_noreturn extern void refusal_raise_request_key(const char *key,
												  const char *detail);

/* The way out of a cancellation, where the policy has one; else NULL. */
extern char *refusal_undo_hint(const Policy *policy, bool on_record);

/* A status as messages name it. */
extern char *quoted_or_null(const char *status);

#endif /* ORDCANCEL_REFUSAL_H */
