/*
 * settings.h — the ordcancel.* settings
 *
 * None of them decides what is allowed but the clock and allow_truncate, which
 * only a superuser may set, and party, which only takes away.
 */
#ifndef ORDCANCEL_SETTINGS_H
#define ORDCANCEL_SETTINGS_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

typedef enum NotifyMode
{
	NOTIFY_COMMIT, /* in the transaction */
	NOTIFY_RELAY,  /* by a worker, after the commit */
	NOTIFY_OFF,
} NotifyMode;

extern int	settings_notify;
extern bool settings_allow_truncate;

extern void settings_init(void);

/* The databases that are to have a relay; FATAL if that is no list. */
extern List *settings_relay_names(void);

/* What a plain write says of itself; NULL where nothing is set. */
extern char *settings_actor(void);
extern char *settings_reason(void);
extern char *settings_note(void);

/* For whom the session wants to act: "customer", "merchant", or NULL; 22023. */
extern const char *settings_party(void);

/* The time by which windows are judged: the clock, not the transaction's. */
extern TimestampTz settings_now(void);

/* The same for what must not change within a statement. */
extern TimestampTz settings_statement_now(void);

#endif /* ORDCANCEL_SETTINGS_H */
