/*
 * call_verbs.h — the functions that a table of calls can call
 */
#ifndef ORDCANCEL_CALL_VERBS_H
#define ORDCANCEL_CALL_VERBS_H

#include "lib/stringinfo.h"

/* The columns of a table of calls that are arguments. */
typedef enum CallArgument
{
	CALL_ORDER_IDS,
	CALL_ITEMS,
	CALL_REASON,
	CALL_NOTE,
	CALL_ACTOR,
	CALL_REQUEST_KEY,
	CALL_METADATA,
	CALL_REFUND,
	CALL_AMOUNT,
	CALL_METHOD,
	CALL_REFERENCE,
	CALL_SETTLED,
	CALL_SESSION_ROLES,
	CALL_ON_ERROR,
	CALL_CANCELLATION_ID,
	CALL_REFUND_DUE,
	CALL_ARGUMENTS, /* their number */
} CallArgument;

typedef struct CallColumn
{
	const char *name;
	Oid			type;
} CallColumn;

extern const CallColumn call_arguments[CALL_ARGUMENTS];

/* The number of a verb, or -1. */
extern int call_verb(const char *name);

extern const char *call_verb_name(int verb);
extern bool		   call_verb_takes(int verb, CallArgument argument);

/* Does it cancel an array of orders, and return a row for each? */
extern bool call_verb_is_set(int verb);

/* "a, b and c" of all verbs; of the columns that a verb takes. */
extern char *call_verbs_text(void);
extern char *call_arguments_text(int verb);

#endif /* ORDCANCEL_CALL_VERBS_H */
