/*
 * guc.h — the ordcancel.* settings
 *
 * None of them decides what is allowed but the clock and allow_truncate, which
 * only a superuser may set, and party, which only takes away.
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

extern int	guc_notify;
extern bool guc_allow_truncate;

extern void guc_init(void);

/* The databases that are to have a relay; FATAL if that is no list. */
extern List *guc_relay_databases(void);

/* What a plain write says of itself; NULL where nothing is set. */
extern char *guc_actor(void);
extern char *guc_reason(void);
extern char *guc_note(void);

/* For whom the session wants to act: "customer", "merchant", or NULL; 22023. */
extern const char *guc_party(void);

/* The time by which windows are judged: the clock, not the transaction's. */
extern TimestampTz guc_now(void);

/* The same for what must not change within a statement. */
extern TimestampTz guc_statement_now(void);

#endif /* ORDCANCEL_GUC_H */
