/*
 * order_case.h — one order on its way through a call
 *
 * The batch is an array of these, a verb an array of one, and the guard makes
 * one from the row that it is shown.  order_row.c fills the order's part,
 * record.c the cancellation's, lifecycle.c asks the question.
 */
#ifndef ORDCANCEL_ORDER_CASE_H
#define ORDCANCEL_ORDER_CASE_H

#include "utils/numeric.h"

#include "order_table.h"

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

/* What the caller said. */
typedef struct Call
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
	TimestampTz now;
} Call;

typedef struct OrderCase
{
	OrderTable *table;
	Datum	   *key;
	char	   *key_text;

	/* the order row, locked */
	Datum		  row;	  /* of the table's row type; only for facts */
	char		 *status; /* as the rules write it, see order_status_word */
	char		 *raw_status; /* as the row has it */
	TimestampTz	 *placed_at;
	char		 *policy_name; /* what the row names */
	const Policy *policy;	   /* what governs */

	/* its facts, see order_facts */
	Numeric			 refund_due;
	const BlockRule *customer_block;
	const BlockRule *merchant_block;

	/* its live cancellation, else the newest ended one */
	bool		 has_record;
	Cancellation record;

	Question question;
	Verdict	 verdict;
} OrderCase;

#endif /* ORDCANCEL_ORDER_CASE_H */
