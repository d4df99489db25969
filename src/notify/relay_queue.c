/*
 * relay_queue.c — passes notifications from committed transactions to the
 * relay worker of the database
 *
 * The contents of the queues are lost when the server shuts down or crashes,
 * and so is PostgreSQL's own notification queue.  This does no harm, since all
 * listeners are disconnected then.
 */
#include "postgres.h"

#include "miscadmin.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "storage/lwlock.h"
#include "storage/shmem.h"

#include "notify/relay_queue.h"

typedef struct RelayQueue
{
	LWLock *lock;
	Oid		database; /* InvalidOid before its first worker has started */
	Latch  *worker;	  /* NULL if no worker is running */

	/* total numbers of bytes; modulo the size, positions in the ring */
	uint64 written;
	uint64 read;

	Size reserved;
	char ring[RELAY_QUEUE_SIZE];
} RelayQueue;

#define LWLOCK_TRANCHE "ordcancel_relay"

static int		   queue_count = 0;
static RelayQueue *queues = NULL;

/* The queue of this database; NULL if it was not found yet. */
static RelayQueue *my_queue = NULL;

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
request_shmem(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(mul_size(queue_count, sizeof(RelayQueue)));
	RequestNamedLWLockTranche(LWLOCK_TRANCHE, queue_count);
}

static void
startup_shmem(void)
{
	bool found;

	if (next_startup_hook)
		next_startup_hook();
	LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
	queues = ShmemInitStruct("ordcancel relay",
							 mul_size(queue_count, sizeof(RelayQueue)),
							 &found);
	if (!found)
	{
		LWLockPadded *locks = GetNamedLWLockTranche(LWLOCK_TRANCHE);

		for (int i = 0; i < queue_count; i++)
		{
			memset(&queues[i], 0, offsetof(RelayQueue, ring));
			queues[i].lock = &locks[i].lock;
		}
	}
	LWLockRelease(AddinShmemInitLock);
}

void
relay_queue_init(int count)
{
	queue_count = count;
	next_request_hook = shmem_request_hook;
	shmem_request_hook = request_shmem;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup_shmem;
}

/*
 * Returns the queue of this database, or NULL.  Only a hit is cached, since
 * the worker may start later.
 */
static RelayQueue *
find_queue(void)
{
	for (int i = 0; my_queue == NULL && queues && i < queue_count; i++)
	{
		LWLockAcquire(queues[i].lock, LW_SHARED);
		if (queues[i].worker && queues[i].database == MyDatabaseId)
			my_queue = &queues[i];
		LWLockRelease(queues[i].lock);
	}
	return my_queue;
}

bool
relay_queue_reserve(Size bytes)
{
	RelayQueue *queue = find_queue();
	bool		room;

	if (queue == NULL)
		return false;
	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	room = queue->worker &&
		queue->written - queue->read + queue->reserved + bytes <=
			RELAY_QUEUE_SIZE;
	if (room)
		queue->reserved += bytes;
	LWLockRelease(queue->lock);
	return room;
}

void
relay_queue_release(Size reserved)
{
	LWLockAcquire(my_queue->lock, LW_EXCLUSIVE);
	my_queue->reserved -= reserved;
	LWLockRelease(my_queue->lock);
}

void
relay_queue_put(const char *bytes, Size reserved)
{
	RelayQueue *queue = my_queue;
	Latch	   *worker;
	Size		at, first;

	LWLockAcquire(queue->lock, LW_EXCLUSIVE);
	at = queue->written % RELAY_QUEUE_SIZE;
	first = Min(reserved, RELAY_QUEUE_SIZE - at);
	memcpy(queue->ring + at, bytes, first);
	memcpy(queue->ring, bytes + first, reserved - first);
	queue->written += reserved;
	queue->reserved -= reserved;
	worker = queue->worker;
	LWLockRelease(queue->lock);
	if (worker)
		SetLatch(worker);
}

static void
detach(int code, Datum arg)
{
	LWLockAcquire(my_queue->lock, LW_EXCLUSIVE);
	my_queue->worker = NULL;
	LWLockRelease(my_queue->lock);
}

void
relay_queue_attach(int queue)
{
	my_queue = &queues[queue];
	LWLockAcquire(my_queue->lock, LW_EXCLUSIVE);
	/* Discard notifications of a dropped database with the same name. */
	if (my_queue->database != MyDatabaseId)
		my_queue->read = my_queue->written;
	my_queue->database = MyDatabaseId;
	my_queue->worker = MyLatch;
	LWLockRelease(my_queue->lock);
	before_shmem_exit(detach, 0);
}

Size
relay_queue_read(char *buffer)
{
	Size at, bytes, first;

	LWLockAcquire(my_queue->lock, LW_SHARED);
	at = my_queue->read % RELAY_QUEUE_SIZE;
	bytes = my_queue->written - my_queue->read;
	LWLockRelease(my_queue->lock);

	/* No lock is needed: sessions do not overwrite what is unread. */
	first = Min(bytes, RELAY_QUEUE_SIZE - at);
	memcpy(buffer, my_queue->ring + at, first);
	memcpy(buffer + first, my_queue->ring, bytes - first);
	return bytes;
}

void
relay_queue_consume(Size bytes)
{
	LWLockAcquire(my_queue->lock, LW_EXCLUSIVE);
	my_queue->read += bytes;
	LWLockRelease(my_queue->lock);
}
