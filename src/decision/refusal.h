/*
 * refusal.h — refusals and the text of their messages
 *
 * A Refusal is made from a DecisionInput, its Decision and some names.  It is
 * raised with the SQLSTATE of its condition by functions, raised as a check
 * violation by triggers (plain writes), or returned as data (cancel_options,
 * cancel_orders, batches).  Its strings are allocated in the current memory
 * context.
 */
#ifndef ORDCANCEL_REFUSAL_H
#define ORDCANCEL_REFUSAL_H

#include "utils/relcache.h"

#include "base/compat.h"
#include "decision/decision.h"

typedef struct Refusal
{
	Condition condition; /* CONDITION_NONE: made from any other error */
	int		  sqlstate;
	bool	  of_setup; /* a configuration error: never a check violation */
	char	 *message;
	char	 *detail; /* or NULL */
	char	 *hint;	  /* or NULL */
} Refusal;

/* What messages name in addition to the DecisionInput; NULL: not known. */
typedef struct RefusalDetail
{
	const char *table; /* quoted and qualified */
	const char *order; /* its key as text */
	const char *to;	   /* plain write: the new status */
	const char *block; /* name and hint of the block that applies */
	const char *block_hint;
	const char *reason;
	const char *due; /* amounts as text */
	const char *refunded;
	const char *asked; /* the amount of the call */
	const char *method;
	const char *reference; /* the refund recorded with it follows */
	const char *recorded_amount;
	const char *recorded_method;
	const char *items; /* a sentence about the item that is the cause */
	const char *cancellations; /* the IDs of those that could be meant */
} RefusalDetail;

/* The name, also used as constraint name, and the SQLSTATE of a condition. */
extern const char *condition_name(Condition condition);
extern int		   condition_sqlstate(Condition condition);

/* The message, DETAIL and HINT for a decision that refuses. */
extern Refusal refusal_explain(const RefusalDetail *names,
							   const DecisionInput *input,
							   const Decision	   *decision);

/*
 * The order does not exist or is not visible to the caller.  "why" becomes the
 * DETAIL; it may be NULL.
 */
extern Refusal refusal_not_found(const char *table, const char *order,
								 const char *why);

/* Any error as a refusal; shares the strings of the ErrorData. */
extern Refusal refusal_of_error(const ErrorData *error);

/* Raises it with its own SQLSTATE. */
pg_noreturn extern void refusal_raise(const Refusal *refusal);

/*
 * Raises it as a check violation (23514) of rel, with the condition as
 * constraint name; with its own SQLSTATE if of_setup.
 */
pg_noreturn extern void refusal_raise_write(const Refusal *refusal,
											Relation	   rel);

/* OC001; InvalidOid stands for null. */
pg_noreturn extern void refusal_raise_not_attached(Oid relid);

/* OC014; detail and hint may be NULL. */
pg_noreturn extern void refusal_raise_invalid_policy(const char *message,
													 const char *detail,
													 const char *hint);

/*
 * To be called in PG_CATCH, when an expression of the owner could not be parsed
 * or evaluated.  Raises OC014 with the given message, the caught error's
 * message as DETAIL, and the hint, or if it is NULL the caught error's.  An
 * error that the expression does not cause, such as an interrupt, is rethrown.
 * "caller" is a memory context that survives the error.
 */
pg_noreturn extern void refusal_rethrow_invalid_policy(MemoryContext caller,
													   const char	*message,
													   const char	*hint);

/* OC011 */
pg_noreturn extern void refusal_raise_request_key(const char *key,
												  const char *detail);

/*
 * The hint how to end a cancellation; NULL if the policy forbids undo.
 * on_record: a cancellation is recorded.
 */
extern char *refusal_undo_hint(const Policy *policy, bool on_record);

/* A status for messages: quoted and truncated, or "NULL" without quotes. */
extern char *quoted_or_null(const char *status);

#endif /* ORDCANCEL_REFUSAL_H */
