/*
 * decision.h — may this be done to this order, and what becomes of it?
 *
 * The one place where the rules are decided.  The verbs, the guard,
 * cancel_options, the batch and the tests all ask here.  It is pure: no
 * catalog, no SQL, no clock, no ereport; everything it may look at stands in
 * the DecisionInput, everything it found out in the Decision.
 */
#ifndef ORDCANCEL_DECISION_H
#define ORDCANCEL_DECISION_H

#include "decision/policy.h"

/* In characters. */
#define NOTE_MAX_LENGTH 2000 /* a reason may allow less */
#define REASON_MAX_LENGTH 100
#define NAME_MAX_LENGTH 255 /* of actors, references, request keys */

/* Why something is refused; design section 9. */
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
} Condition;

#define LAST_CONDITION CONDITION_INVALID_POLICY

/* The finer why, for DETAIL and HINT. */
typedef enum Fault
{
	FAULT_NONE,
	FAULT_NO_RULE,		  /* the status has no rule */
	FAULT_RULE,			  /* the rule forbids it */
	FAULT_MUST_ASK,		  /* plain write: a request has to come first */
	FAULT_NOT_ASKED,	  /* plain write: the rules cancel at once */
	FAULT_ALREADY_ASKED,  /* plain write: that party has asked already */
	FAULT_PLAIN_UPDATES,  /* plain writes are switched off */
	FAULT_OTHER_STATUS,	  /* plain write: the rules lead elsewhere */
	FAULT_OWN_REQUEST,	  /* one's own request is withdrawn, not denied */
	FAULT_OTHERS_REQUEST, /* the other's request is denied, not withdrawn */
	FAULT_OPEN,			  /* a cancellation is open */
	FAULT_PRIOR_STATUS,	  /* plain write: the status before the request */
	FAULT_DISAGREES,	  /* order and record, as nothing of ours left them */
	FAULT_COMES_AGAIN,	  /* a deleted order that was canceled */
	FAULT_CAME_TO_STAY,	  /* the same, and it cannot be undone */
	FAULT_REASON_MISSING,
	FAULT_REASON_UNKNOWN,
	FAULT_REASON_INACTIVE,
	FAULT_REASON_AUDIENCE,
	FAULT_REASON_NOT_ASKED, /* usable only when the customer asked */
	FAULT_NOTE_MISSING,
	FAULT_NOTE_TOO_LONG,
	FAULT_NO_RECORD, /* canceled, but not by us */
	FAULT_UNDO_REACH,
	FAULT_UNDO_WINDOW,
	FAULT_STALE_STATUS, /* a status of the policy was renamed under it */
	FAULT_STALE_RULE,	/* that of a rule, and this one has none */
	FAULT_MONEY_DUE,	/* refunds are missing */
	FAULT_MONEY_KEPT,	/* the customer has the money back */
	FAULT_AMOUNT,		/* not a positive amount */
	FAULT_AMOUNT_TOO_HIGH,
	FAULT_METHOD,	 /* unknown refund method */
	FAULT_REFERENCE, /* of another refund */
	FAULT_NO_CANCELED_STATUS,
} Fault;

/* How a refund compares with what is due. */
typedef enum AmountCheck
{
	AMOUNT_PART,
	AMOUNT_LAST,
	AMOUNT_NOT_POSITIVE,
	AMOUNT_TOO_HIGH,
	AMOUNT_UNKNOWN_METHOD,
	AMOUNT_REPEATED,		/* it is on record, under the same reference */
	AMOUNT_OTHER_REFERENCE, /* the reference is another refund's */
} AmountCheck;

typedef struct Reason
{
	char	*code;
	Audience audience;
	bool	 requires_note;
	bool	 requires_request;
	bool	 active;
	int		 note_max; /* characters */
} Reason;

typedef struct DecisionInput
{
	Verb		verb;
	Party		party; /* who acts */
	TimestampTz now;

	/* the order */
	const Policy	  *policy;
	const char		  *status;
	StatusKind		   kind; /* that the status has, of any policy's words */
	const TimestampTz *placed_at; /* NULL: unknown, the window is open */
	bool			   blocked;	  /* for this party */
	bool			   money_due; /* a refund would be due on acceptance */

	/* its cancellation */
	State			   live;		/* STATE_NONE: no live one */
	State			   last;		/* else the newest ended one's */
	bool			   last_undone; /* undo_cancel ended it, with a note */
	Party			   asked_by;
	bool			   direct; /* asked and decided by one party at once */
	const char		  *prior_status;
	bool			   moved_on; /* the order has left the status we gave it */
	const TimestampTz *closed_at; /* since when an undo window counts */
	const TimestampTz *deadline;

	/* what was said */
	bool		  reason_unknown; /* cancel_options: do not judge the words */
	bool		  reason_given;
	bool		  reason_on_record; /* the request that is confirmed has one */
	const Reason *reason;			/* NULL with reason_given: unknown code */
	int			  note_length; /* characters, blanks at the ends not counted */
	bool		  settled;	   /* undo: the customer has paid again */
	bool		  unsettled;   /* undo: a refund needs that */
	AmountCheck	  amount;	   /* record_refund */
} DecisionInput;

typedef struct Decision
{
	Condition	condition; /* CONDITION_NONE: go ahead */
	Fault		fault;
	bool		changed;	  /* false: it is so already */
	State		state;		  /* of the cancellation, afterwards */
	const char *status;		  /* to give the order; NULL: leave it */
	bool		clear_status; /* the order had none before */
	EventType	event;		  /* the last event that this makes */
	bool		accepts;	  /* an open request is accepted by it */
	bool		late;		  /* the customer's window is over */
	bool		has_until;
	TimestampTz until; /* when the answer changes by itself */
} Decision;

/* Decides a verb. */
extern Decision decide(const DecisionInput *input);

/*
 * Does the answer depend on the order's facts?  Asked of a question without
 * them (blocked, money_due), before they are found out.  A table without blocks
 * or without money has nothing to find out of that kind.
 */
extern bool decision_needs_expr(const DecisionInput *input, bool has_blocks,
								bool has_money);
extern bool decision_change_needs_expr(const DecisionInput *input,
									   const char *to, StatusKind kind,
									   bool has_blocks, bool has_money);

/* Judges reason and note alone; CONDITION_NONE when they will do. */
extern Decision decide_reason(const DecisionInput *input);

/*
 * Decides a plain change of the order's status to "to": finds the verb it
 * amounts to (left in question->verb) and allows exactly what that verb would
 * have written.  "kind" is what "to" means by the words of any policy.
 */
extern Decision decide_change(DecisionInput *input, const char *to,
							  StatusKind kind);

#endif /* ORDCANCEL_DECISION_H */
