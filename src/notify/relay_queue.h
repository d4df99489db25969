/*
 * relay_queue.h — passes notifications from committed transactions to the
 * relay worker of the database
 *
 * Each database in ordcancel.relay_databases has a queue, a ring buffer in
 * shared memory.  A transaction reserves space in it before it commits, when
 * it can still use NOTIFY if the queue is full, and writes its notifications
 * after it has committed, when nothing may fail.
 *
 * A notification is two null-terminated strings: the channel and the payload.
 */
#ifndef ORDCANCEL_RELAY_QUEUE_H
#define ORDCANCEL_RELAY_QUEUE_H

/* Size of a queue in bytes, enough for about 4,000 notifications. */
#define RELAY_QUEUE_SIZE (1024 * 1024)

/* Requests shared memory for so many queues; called in the postmaster. */
extern void relay_queue_init(int queues);

/*
 * Functions for sessions, on the queue of their database.
 *
 * relay_queue_reserve returns false if there is not enough space, or no worker
 * is running.  Otherwise the caller has to call either relay_queue_put, which
 * writes that many bytes and wakes up the worker, or relay_queue_release.
 */
extern bool relay_queue_reserve(Size bytes);
extern void relay_queue_put(const char *bytes, Size reserved);
extern void relay_queue_release(Size reserved);

/*
 * Functions for workers.
 *
 * relay_queue_attach makes the process the worker of a queue, which is given by
 * its number, until it exits.  relay_queue_read copies everything in the queue
 * to a buffer of RELAY_QUEUE_SIZE bytes and returns its size.  It stays in the
 * queue until relay_queue_consume removes it, so if the worker fails before
 * that, the next one reads it again.
 */
extern void relay_queue_attach(int queue);
extern Size relay_queue_read(char *buffer);
extern void relay_queue_consume(Size bytes);

#endif /* ORDCANCEL_RELAY_QUEUE_H */
