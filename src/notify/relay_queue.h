/*
 * relay_queue.h — announcements on their way from committed transactions to
 * the worker of their database
 *
 * Each database that is named in ordcancel.relay_databases has a ring in
 * shared memory.  A transaction reserves room in it before it commits, so that
 * it can still announce by itself if there is none, and puts its announcements
 * there when it has committed, when nothing may fail any more.
 *
 * An announcement is two strings, each with the zero byte that ends it: the
 * channel, then the payload.
 */
#ifndef ORDCANCEL_RELAY_QUEUE_H
#define ORDCANCEL_RELAY_QUEUE_H

/* What a ring holds, in bytes: some 4,000 announcements. */
#define RELAY_QUEUE_SIZE (1024 * 1024)

/* When the postmaster loads the library: one ring for each of so many. */
extern void relay_queue_init(int queues);

/*
 * For sessions.  False when there is no room, or no worker to take it; else
 * exactly one of put and release has to follow.
 */
extern bool relay_queue_reserve(Size bytes);
extern void relay_queue_put(const char *bytes, Size reserved);
extern void relay_queue_release(Size reserved);

/*
 * For the worker of a database.  What was read stays until it is forgotten, so
 * a worker that fails in between leaves it to its successor.
 */
extern void relay_queue_attach(int queue);
extern Size relay_queue_read(char *buffer);
extern void relay_queue_forget(Size bytes);

#endif /* ORDCANCEL_RELAY_QUEUE_H */
