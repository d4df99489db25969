/*
 * labels.h — names in SQL to enums, and back
 *
 * Parties, verbs, states and modes are text in SQL, so that people can read
 * the tables, and enums in C.
 */
#ifndef ORDCANCEL_LABELS_H
#define ORDCANCEL_LABELS_H

typedef enum Party
{
	PARTY_CUSTOMER,
	PARTY_MERCHANT,
	PARTY_SYSTEM,
} Party;

/* The operation: a function, or a plain write that matches no function. */
typedef enum Verb
{
	VERB_REQUEST_CANCEL,
	VERB_CANCEL_ORDER,
	VERB_OVERRIDE_CANCEL,
	VERB_REQUEST_CANCEL_ITEMS,
	VERB_CANCEL_ITEMS,
	VERB_EXPIRE, /* by sweep(), if the rule of the status has expire_after */
	VERB_WITHDRAW_CANCEL,
	VERB_ACCEPT_CANCEL,
	VERB_DENY_CANCEL,
	VERB_RECORD_REFUND,
	VERB_ADJUST_REFUND,
	VERB_UNDO_CANCEL,
	VERB_MOVE,	 /* the status changes to an ordinary one */
	VERB_INSERT, /* the order row is new */
	VERB_DELETE, /* the order row is deleted */
} Verb;

/* The state of a cancellation; the order of the values matters. */
typedef enum State
{
	STATE_NONE,		 /* there is no cancellation */
	STATE_REQUESTED, /* the first live one */
	STATE_IN_PROGRESS,
	STATE_CANCELED,
	STATE_DENIED, /* the first ended one */
	STATE_WITHDRAWN,
	STATE_UNDONE,
} State;

/* Is the cancellation requested, in progress, or in effect? */
static inline bool
state_is_live(State state)
{
	return state >= STATE_REQUESTED && state <= STATE_CANCELED;
}

static inline bool
state_has_ended(State state)
{
	return state > STATE_CANCELED;
}

/* What a rule allows a party to do. */
typedef enum RuleMode
{
	MODE_FORBID,
	MODE_REQUEST,
	MODE_CANCEL,
} RuleMode;

/* The last state from which undo_cancel is allowed, in ascending order. */
typedef enum UndoReach
{
	UNDO_NEVER,
	UNDO_REQUESTED,
	UNDO_IN_PROGRESS,
	UNDO_CANCELED,
} UndoReach;

/* Who may use a reason; the values of parties equal those of Party. */
typedef enum Audience
{
	AUDIENCE_CUSTOMER,
	AUDIENCE_MERCHANT,
	AUDIENCE_SYSTEM,
	AUDIENCE_ANY,
} Audience;

/* The type of an event in the event table. */
typedef enum EventType
{
	EVENT_NONE,
	EVENT_REQUESTED,
	EVENT_WITHDRAWN,
	EVENT_DENIED,
	EVENT_ACCEPTED,
	EVENT_REFUNDED,
	EVENT_ADJUSTED,
	EVENT_CANCELED,
	EVENT_ITEMS_CANCELED,
	EVENT_UNDONE,
	EVENT_FORGOTTEN, /* texts of earlier events were erased */
} EventType;

/* What differs between verbs; a new verb needs a row in labels.c. */
typedef struct VerbTraits
{
	const char *name;		/* in SQL, and of the function */
	const char *participle; /* for messages: "cannot be ..." */
	bool		merchant;	/* only the merchant may call the function */
	bool		reason;		/* takes a reason code */
	bool		note;		/* always requires a note */
	bool accepts; /* may accept a cancellation, which fixes refund_due */
	bool items;	  /* begins a cancellation of some items */
} VerbTraits;

extern const VerbTraits verb_traits[];

extern const char *party_name(Party party);
extern const char *verb_name(Verb verb);
extern const char *state_name(State state);
extern const char *event_type_name(EventType type);

/* These return false if the name is unknown or NULL. */
extern bool party_from_name(const char *name, Party *party);
extern bool verb_from_name(const char *name, Verb *verb);
extern bool state_from_name(const char *name, State *state);
extern bool mode_from_name(const char *name, RuleMode *mode);
extern bool undo_reach_from_name(const char *name, UndoReach *reach);
extern bool audience_from_name(const char *name, Audience *audience);

#endif /* ORDCANCEL_LABELS_H */
