/*
 * guc.h — the ordcancel.* settings
 *
 * Every user can set actor, reason, note and party.  These cannot extend what a
 * role may do: party can only restrict a role that may act as the merchant.
 * Nor can cached_tables, which is about the memory of the session.
 * The other settings are for superusers or the configuration file.
 */
#ifndef ORDCANCEL_GUC_H
#define ORDCANCEL_GUC_H

#include "datatype/timestamp.h"
#include "nodes/pg_list.h"

typedef enum NotifyMode
{
	NOTIFY_COMMIT, /* in the transaction */
	NOTIFY_RELAY,  /* by a worker, after the commit */
	NOTIFY_OFF,
} NotifyMode;

extern int	guc_notify; /* a NotifyMode */
extern bool guc_allow_truncate;
extern int	guc_cached_tables;

/* Defines the settings; called once, when the library is loaded. */
extern void guc_init(void);

/* Names of the databases that have a relay; FATAL if the setting is invalid. */
extern List *guc_relay_databases(void);

/* A copy in the current memory context; NULL if empty. */
extern char *guc_actor(void);
extern char *guc_reason(void);
extern char *guc_note(void);

/* "customer", "merchant", or NULL if empty; 22023 if the setting is invalid. */
extern const char *guc_party(void);

/*
 * The current time, for deciding and recording: the time of the clock, not the
 * start of the transaction, unless ordcancel.clock is set.
 */
extern TimestampTz guc_now(void);

/* The same, but the start of the statement, so it is stable within one. */
extern TimestampTz guc_statement_now(void);

#endif /* ORDCANCEL_GUC_H */
