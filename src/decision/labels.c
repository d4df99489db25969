/*
 * labels.c — names in SQL to enums, and back
 */
#include "postgres.h"

#include "decision/labels.h"

static const char *const party_names[] = {
	[PARTY_CUSTOMER] = "customer",
	[PARTY_MERCHANT] = "merchant",
	[PARTY_SYSTEM] = "system",
};

/* name, participle, merchant, reason, note, accepts, items */
const VerbTraits verb_traits[] = {
	[VERB_REQUEST_CANCEL] = {"request_cancel", "canceled", false, true, false,
							 true, false},
	[VERB_CANCEL_ORDER] = {"cancel_order", "canceled", true, true, false, true,
						   false},
	[VERB_OVERRIDE_CANCEL] = {"override_cancel", "canceled", true, true, true,
							  true, false},
	[VERB_REQUEST_CANCEL_ITEMS] = {"request_cancel_items", "canceled", false,
								   true, false, true, true},
	[VERB_CANCEL_ITEMS] = {"cancel_items", "canceled", true, true, false, true,
						   true},
	[VERB_EXPIRE] = {"expire", "canceled", false, false, false, true, false},
	[VERB_WITHDRAW_CANCEL] = {"withdraw_cancel", "withdrawn", false, false,
							  false, false, false},
	[VERB_ACCEPT_CANCEL] = {"accept_cancel", "accepted", true, true, false,
							true, false},
	[VERB_DENY_CANCEL] = {"deny_cancel", "denied", true, false, true, false,
						  false},
	[VERB_RECORD_REFUND] = {"record_refund", "refunded", true, false, false,
							false, false},
	[VERB_ADJUST_REFUND] = {"adjust_refund", "adjusted", true, false, true,
							false, false},
	[VERB_UNDO_CANCEL] = {"undo_cancel", "undone", true, false, false, false,
						  false},
	[VERB_MOVE] = {"move", "changed", false, false, false, true, false},
	[VERB_INSERT] = {"insert", "inserted", false, false, false, false, false},
	[VERB_DELETE] = {"delete", "deleted", false, false, false, false, false},
};

static const char *const state_names[] = {
	[STATE_NONE] = "none",
	[STATE_REQUESTED] = "requested",
	[STATE_IN_PROGRESS] = "in_progress",
	[STATE_CANCELED] = "canceled",
	[STATE_DENIED] = "denied",
	[STATE_WITHDRAWN] = "withdrawn",
	[STATE_UNDONE] = "undone",
};

static const char *const mode_names[] = {
	[MODE_FORBID] = "forbid",
	[MODE_REQUEST] = "request",
	[MODE_CANCEL] = "cancel",
};

static const char *const undo_reach_names[] = {
	[UNDO_NEVER] = "never",
	[UNDO_REQUESTED] = "requested",
	[UNDO_IN_PROGRESS] = "in_progress",
	[UNDO_CANCELED] = "canceled",
};

static const char *const audience_names[] = {
	[AUDIENCE_CUSTOMER] = "customer",
	[AUDIENCE_MERCHANT] = "merchant",
	[AUDIENCE_SYSTEM] = "system",
	[AUDIENCE_ANY] = "any",
};

static const char *const event_type_names[] = {
	[EVENT_NONE] = "none",			 [EVENT_REQUESTED] = "requested",
	[EVENT_WITHDRAWN] = "withdrawn", [EVENT_DENIED] = "denied",
	[EVENT_ACCEPTED] = "accepted",	 [EVENT_REFUNDED] = "refunded",
	[EVENT_CANCELED] = "canceled",	 [EVENT_ITEMS_CANCELED] = "items_canceled",
	[EVENT_ADJUSTED] = "adjusted",	 [EVENT_UNDONE] = "undone",
	[EVENT_FORGOTTEN] = "forgotten",
};

/* The index of the name, or -1; -1 for NULL. */
static int
find_name(const char *name, const char *const *names, int count)
{
	for (int i = 0; name && i < count; i++)
		if (strcmp(name, names[i]) == 0)
			return i;
	return -1;
}

#define ENUM_FROM_NAME(function, type, names)                \
	bool function(const char *name, type *value)             \
	{                                                        \
		int found = find_name(name, names, lengthof(names)); \
                                                             \
		if (found < 0)                                       \
			return false;                                    \
		*value = (type) found;                               \
		return true;                                         \
	}

ENUM_FROM_NAME(party_from_name, Party, party_names)
ENUM_FROM_NAME(state_from_name, State, state_names)
ENUM_FROM_NAME(mode_from_name, RuleMode, mode_names)
ENUM_FROM_NAME(undo_reach_from_name, UndoReach, undo_reach_names)
ENUM_FROM_NAME(audience_from_name, Audience, audience_names)

bool
verb_from_name(const char *name, Verb *verb)
{
	for (int i = 0; name && i < lengthof(verb_traits); i++)
		if (strcmp(name, verb_traits[i].name) == 0)
		{
			*verb = (Verb) i;
			return true;
		}
	return false;
}

const char *
party_name(Party party)
{
	return party_names[party];
}

const char *
verb_name(Verb verb)
{
	return verb_traits[verb].name;
}

const char *
state_name(State state)
{
	return state_names[state];
}

const char *
event_type_name(EventType type)
{
	return event_type_names[type];
}
