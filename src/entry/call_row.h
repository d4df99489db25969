/*
 * call_row.h — a row of a table of calls on its way through the trigger
 */
#ifndef ORDCANCEL_CALL_ROW_H
#define ORDCANCEL_CALL_ROW_H

#include "access/tupdesc.h"
#include "utils/relcache.h"

#include "config/call_table.h"
#include "entry/call_verbs.h"

/* The columns of the answer that are not arguments too. */
typedef enum Answer
{
	ANSWER_STATE,
	ANSWER_ORDER_STATUS,
	ANSWER_CHANGED,
	ANSWER_REFUNDED,
	ANSWER_REQUESTED_AT,
	ANSWER_DECIDED_AT,
	ANSWER_CLOSED_AT,
	ANSWER_RESULTS,
	ANSWER_SQLSTATE,
	ANSWER_MESSAGE,
	ANSWER_DETAIL,
	ANSWER_HINT,
	ANSWER_COUNT,
} Answer;

extern const CallColumn call_answers[ANSWER_COUNT];

typedef struct CallRow
{
	Relation	  rel;
	TupleDesc	  desc;
	CallTable	 *table;
	int			  verb;
	bool		  skip;	  /* an error is the answer */
	Datum		 *values; /* of the row, by attribute */
	bool		 *nulls;
	int			 *keys; /* attribute numbers of the order's key */
	MemoryContext context;
} CallRow;

/*
 * The attribute of a column; 0 if the owner has dropped it.  The owner may also
 * have changed its type, which is OC014.
 */
extern int call_column(const CallRow *c, const char *name, Oid type);

/* The same; OC014 if it is not there. */
extern int call_need_column(const CallRow *c, const char *name, Oid type);

/* Sets the value of an attribute; 0 is none. */
extern void call_set(CallRow *c, int attnum, Datum value, bool isnull);

/* The text of an attribute; NULL if it is null, or there is none. */
extern char *call_text(const CallRow *c, int attnum);

/* Sets c->keys. */
extern void call_find_keys(CallRow *c);

extern Oid call_key_type(const CallRow *c, int i);

/*
 * Completes a call for an array of orders.  An array without the key of the row
 * has that of its first order: the row is stored by it.  A row without array is
 * one of its own order.
 */
extern void call_complete_set(CallRow *c);

#endif /* ORDCANCEL_CALL_ROW_H */
