/*
 * outbox.h — a transaction's announcements, until it commits
 *
 * For ordcancel.notify = relay.  PostgreSQL does the same for NOTIFY; what is
 * here goes to the relay instead, after the commit.
 */
#ifndef ORDCANCEL_OUTBOX_H
#define ORDCANCEL_OUTBOX_H

extern void outbox_init(void);

/* Announced by NOTIFY after all if the relay cannot take it. */
extern void outbox_add(const char *channel, const char *payload);

#endif /* ORDCANCEL_OUTBOX_H */
