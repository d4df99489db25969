/*
 * decision.h — decides what may be done to an order
 *
 * All rules are applied here, so that functions, triggers, cancel_options and
 * batches always agree.  decide() and its siblings take a DecisionInput and
 * return a Decision.  They read no catalog and no clock, run no SQL and raise
 * no error; the caller provides everything in the DecisionInput and carries
 * out the Decision.
 */
#ifndef ORDCANCEL_DECISION_H
#define ORDCANCEL_DECISION_H

#include "decision/policy.h"

/* Maximum lengths in characters. */
#define NOTE_MAX_LENGTH 2000 /* a reason may set a lower limit */
#define REASON_MAX_LENGTH 100
#define NAME_MAX_LENGTH 255 /* of actors, references, request keys */

/* Why an operation is refused; each has an SQLSTATE, see doc/errors.md. */
typedef enum Condition
{
	CONDITION_NONE,
	CONDITION_ORDER_TABLE_NOT_ATTACHED,
	CONDITION_ORDER_NOT_FOUND,
	CONDITION_CANCELLATION_FORBIDDEN,
	CONDITION_GRACE_PERIOD_OVER,
	CONDITION_CANCELLATION_BLOCKED,
	CONDITION_INVALID_REASON,
	CONDITION_NO_OPEN_CANCELLATION,
	CONDITION_UNDO_NOT_ALLOWED,
	CONDITION_REFUND_NOT_SETTLED,
	CONDITION_INVALID_REFUND,
	CONDITION_REQUEST_KEY_REUSED,
	CONDITION_ORDER_ON_HOLD,
	CONDITION_ORDER_IS_CANCELED,
	CONDITION_INVALID_POLICY,
	CONDITION_AMBIGUOUS_CANCELLATION,
	CONDITION_ITEMS_NOT_AVAILABLE,
} Condition;

#define LAST_CONDITION CONDITION_ITEMS_NOT_AVAILABLE

/* A more exact cause, from which DETAIL and HINT are made. */
typedef enum Fault
{
	FAULT_NONE,
	FAULT_NO_RULE, /* the status has no rule */
	FAULT_RULE,	   /* the rule forbids it */
	FAULT_OPEN,	   /* DELETE: the order has an open cancellation */

	/* plain writes */
	FAULT_REQUEST_REQUIRED,		/* the rule allows a request only */
	FAULT_REQUEST_NOT_REQUIRED, /* the rule cancels without a request */
	FAULT_ALREADY_REQUESTED,	/* by the same party, who cannot decide it */
	FAULT_PLAIN_UPDATES,		/* attached with plain_updates => false */
	FAULT_OTHER_STATUS,			/* the rules require another status */
	FAULT_PRIOR_STATUS,			/* back to the status before the request */
	FAULT_REINSERTED,			/* was canceled, then deleted */
	FAULT_REINSERTED_NO_UNDO,	/* the same, and undo is not allowed */

	/* functions */
	FAULT_OWN_REQUEST,		/* deny: it is the party's own request */
	FAULT_OTHERS_REQUEST,	/* withdraw: it is the other party's request */
	FAULT_DISAGREES,		/* status and cancellation do not match */
	FAULT_NO_RECORD,		/* no cancellation is recorded */
	FAULT_UNDO_REACH,		/* the policy forbids undo from this state */
	FAULT_UNDO_WINDOW,		/* the time to undo is over */
	FAULT_REFUND_DUE,		/* refunds are missing */
	FAULT_REFUND_UNSETTLED, /* undo: the customer keeps a refund */

	/* parts of orders */
	FAULT_OTHER_REQUEST,	/* another cancellation is requested */
	FAULT_PARTLY_FULFILLED, /* some units cannot be canceled any more */
	FAULT_ORDER_CLOSED,		/* the order itself is canceled or in progress */
	FAULT_ITEM_UNKNOWN,
	FAULT_ITEM_QUANTITY, /* not a quantity that the column can hold */
	FAULT_ITEM_TOO_MANY,
	FAULT_NO_ITEM_LEFT,

	/* reason and note */
	FAULT_REASON_MISSING,
	FAULT_REASON_UNKNOWN,
	FAULT_REASON_INACTIVE,
	FAULT_REASON_AUDIENCE,		/* it is for another party */
	FAULT_REASON_NEEDS_REQUEST, /* it requires a request by the customer */
	FAULT_NOTE_MISSING,
	FAULT_NOTE_TOO_LONG,

	/* refunds */
	FAULT_AMOUNT, /* not a positive amount */
	FAULT_AMOUNT_TOO_HIGH,
	FAULT_METHOD,		 /* unknown refund method */
	FAULT_REFERENCE,	 /* it is recorded for another refund */
	FAULT_TAKE_BACK,	 /* not a refund that was recorded, or more than it */
	FAULT_DUE,			 /* not an amount that can be due */
	FAULT_DUE_TOO_LOW,	 /* less than is refunded */
	FAULT_DUE_TOO_HIGH,	 /* more than the order's refund_due */
	FAULT_DUE_UNDECIDED, /* the call only makes a request */

	/* the policy */
	FAULT_STALE_STATUS, /* one of its statuses was renamed */
	FAULT_STALE_RULE,	/* no rule; the status of another rule was renamed */
	FAULT_NO_CANCELED_STATUS,
} Fault;

/*
 * How a refund compares with the amount due and with recorded refunds; for
 * adjust_refund, how the amount due compares with the refunds.
 */
typedef enum AmountCheck
{
	AMOUNT_PART, /* less than the amount due */
	AMOUNT_LAST, /* what is still due */
	AMOUNT_NOT_POSITIVE,
	AMOUNT_TOO_HIGH,
	AMOUNT_TOO_LOW,
	AMOUNT_UNKNOWN_METHOD,
	AMOUNT_SETTLED,			/* no refund: those recorded before suffice */
	AMOUNT_UNSETTLED,		/* no refund: one of a part is due again */
	AMOUNT_REPEATED,		/* the same refund is recorded already */
	AMOUNT_OTHER_REFERENCE, /* its reference is recorded for another refund */
	AMOUNT_TAKEN_BACK,		/* negative: all or part of a recorded refund */
	AMOUNT_NOT_RECORDED,	/* negative: more than was recorded, or nothing */
} AmountCheck;

/* The amount due that a call asks for, where it accepts a cancellation. */
typedef enum RefundCheck
{
	REFUND_NOT_GIVEN, /* what the owner's expressions say is due */
	REFUND_AGREED,	  /* at most that */
	REFUND_NOT_VALID, /* negative, or not a number */
	REFUND_TOO_HIGH,
} RefundCheck;

/* Can the units that a call means be canceled? */
typedef enum ItemsCheck
{
	ITEMS_AVAILABLE,
	ITEMS_UNKNOWN,	/* the order has no such item */
	ITEMS_QUANTITY, /* not positive, or a fraction where units are whole */
	ITEMS_TOO_MANY, /* more than ordered less fulfilled less canceled */
	ITEMS_NONE_LEFT,
} ItemsCheck;

/* A row of ordcancel.reason. */
typedef struct Reason
{
	char	*code;
	Audience audience;
	bool	 requires_note;
	bool	 requires_request; /* the customer must have made a request */
	bool	 active;
	int		 note_max; /* in characters */
} Reason;

typedef struct DecisionInput
{
	Verb		verb;
	Party		party; /* who acts */
	TimestampTz now;

	/* the order */
	const Policy	  *policy;
	const char		  *status;		  /* NULL: the column is null */
	StatusKind		   kind;		  /* of the status, under any policy */
	const TimestampTz *placed_at;	  /* NULL: unknown, treated as in time */
	const TimestampTz *since;		  /* start of timers; NULL: unknown */
	bool			   blocked;		  /* a block applies to the party */
	bool			   money_due;	  /* a refund would be due */
	bool			   plain_updates; /* may they change a cancellation? */

	/* its newest cancellation */
	State		live;			  /* STATE_NONE: there is no live one */
	State		last;			  /* if none is live: the ended one's */
	bool		last_undone;	  /* it ended by undo_cancel with a note */
	Party		requested_by;	  /* who made the request */
	bool		direct;			  /* requested and accepted in one call */
	const char *prior_status;	  /* of the order, before the cancellation */
	bool		moved_on;		  /* the order's status has changed since */
	const TimestampTz *closed_at; /* or NULL */
	const TimestampTz *first_closed_at; /* if in progress again since */
	const TimestampTz *deadline;		/* of the request, or NULL */
	bool			   part;			/* it is of some items only */
	bool			   ambiguous;	/* several cancellations could be meant */
	bool			   refund_open; /* less is refunded than is due */
	bool			   money_open;	/* the same of any of the order's */
	bool			   restored; /* insert: the order is no longer deleted */

	/* the order's items, if any are attached */
	bool	   same_items; /* the call means the items that are requested */
	ItemsCheck items;	   /* of the items that the call means */
	bool	   takes_all;  /* nothing of the order would be left */
	bool	   fulfilled;  /* some units cannot be canceled any more */
	bool	   part_open;  /* refunds of a part are due */
	bool	   closed;	   /* the order is canceled or in progress itself */

	/* the arguments of the call */
	bool		  skip_reason_check; /* do not check reason and note */
	bool		  reason_given;
	bool		  reason_on_record; /* the open request has a reason */
	const Reason *reason;			/* NULL if reason_given: unknown code */
	int			  note_length;		/* in characters, trimmed */
	bool		  settled;			/* undo: the customer has paid it back */
	bool		  unsettled;		/* undo: a refund must be paid back */
	AmountCheck	  amount;			/* record_refund, adjust_refund */
	RefundCheck	  refund;			/* the argument refund */
} DecisionInput;

typedef struct Decision
{
	Condition	condition; /* CONDITION_NONE: allowed */
	Fault		fault;
	bool		changed;	  /* false: nothing to do */
	State		state;		  /* of the cancellation afterwards */
	const char *status;		  /* the order's new status; NULL: unchanged */
	bool		clear_status; /* set the order's status to null */
	EventType	event;		  /* to record; the last one, if several */
	bool		accepts;	  /* an open request is accepted first */
	bool		part;		  /* the cancellation is of some items only */
	bool		owes;		  /* from now on a refund is due */
	bool		ended;		  /* it is a cancellation that has ended */
	bool		follows;	  /* not changed; the record gets the new status */
	bool		late;		  /* the grace period is over */
	const char *reason;		  /* that of the rule; NULL: the call's */
	bool		has_until;	  /* the decision may change at "until" */
	TimestampTz until;
} Decision;

/* Start of the undo window, or NULL. */
static inline const TimestampTz *
decision_undo_from(const DecisionInput *input)
{
	return input->first_closed_at ? input->first_closed_at : input->closed_at;
}

/* Decides input->verb. */
extern Decision decide(const DecisionInput *input);

/*
 * Decides an UPDATE that changes the status to "to", whose meaning under any
 * policy is "kind".  Sets input->verb to the function that the change
 * corresponds to, and allows the change only if "to" is the status that this
 * function would write.
 */
extern Decision decide_change(DecisionInput *input, const char *to,
							  StatusKind kind);

/*
 * Would decide_change() decide this change as undo_cancel, if it is not refused
 * for another reason?  The fields about items and refunds are ignored.
 */
extern bool decision_reopens(const DecisionInput *input, const char *to,
							 StatusKind kind);

/* Checks reason and note alone; CONDITION_NONE if they are valid. */
extern Decision decide_reason(const DecisionInput *input);

/* Will a cancellation that is accepted now be of some items only? */
extern bool decision_is_part(const DecisionInput *input);

/*
 * Do decide() and decide_change() lead to a change for which the order's items
 * have to be known?  The fields about items are ignored.
 */
extern bool decision_needs_items(const DecisionInput *input);
extern bool decision_change_needs_items(const DecisionInput *input,
										const char *to, StatusKind kind);

/*
 * Do decide() and decide_change() depend on input->blocked or
 * input->money_due?  These two fields are ignored, so callers can avoid
 * evaluating the expressions.  has_blocks and has_money: the table has blocks,
 * or a refund_due expression.
 */
extern bool decision_needs_expr(const DecisionInput *input, bool has_blocks,
								bool has_money);
extern bool decision_change_needs_expr(const DecisionInput *input,
									   const char *to, StatusKind kind,
									   bool has_blocks, bool has_money);

#endif /* ORDCANCEL_DECISION_H */
