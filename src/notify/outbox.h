/*
 * outbox.h — keeps a transaction's notifications until it commits
 *
 * With ordcancel.notify = relay, notifications are collected here and passed
 * to the relay after the commit.  As with NOTIFY, a rollback to a savepoint
 * discards those made after it.
 */
#ifndef ORDCANCEL_OUTBOX_H
#define ORDCANCEL_OUTBOX_H

/* Registers transaction callbacks; called when the library is loaded. */
extern void outbox_init(void);

/*
 * Adds a notification.  If the relay cannot take it, it is sent by NOTIFY as
 * part of the transaction.
 */
extern void outbox_add(const char *channel, const char *payload);

#endif /* ORDCANCEL_OUTBOX_H */
