/*
 * relay_queue.c — announcements on their way from committed transactions to
 * the worker of their database
 *
 * What is in the rings is lost when the server stops or crashes, as is what
 * PostgreSQL keeps for NOTIFY: then there are no listeners any more either.
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
	Oid		database; /* whose announcements these are */
	Latch  *worker;	  /* NULL: there is none */
	/* Bytes since the beginning; the place in the ring is the remainder. */
	uint64 written;
	uint64 read;
	Size   reserved;
	char   ring[RELAY_QUEUE_SIZE];
} RelayQueue;

#define LOCKS "ordcancel_relay"

static int		   queue_count = 0;
static RelayQueue *queues = NULL;

/* The session's, once it has been found. */
static RelayQueue *mine = NULL;

static shmem_request_hook_type next_request_hook = NULL;
static shmem_startup_hook_type next_startup_hook = NULL;

static void
request(void)
{
	if (next_request_hook)
		next_request_hook();
	RequestAddinShmemSpace(mul_size(queue_count, sizeof(RelayQueue)));
	RequestNamedLWLockTranche(LOCKS, queue_count);
}

static void
startup(void)
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
		LWLockPadded *locks = GetNamedLWLockTranche(LOCKS);

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
	shmem_request_hook = request;
	next_startup_hook = shmem_startup_hook;
	shmem_startup_hook = startup;
}

/* A worker that comes later is found as well: what is not found is not kept. */
static RelayQueue *
my_queue(void)
{
	for (int i = 0; mine == NULL && queues && i < queue_count; i++)
	{
		LWLockAcquire(queues[i].lock, LW_SHARED);
		if (queues[i].worker && queues[i].database == MyDatabaseId)
			mine = &queues[i];
		LWLockRelease(queues[i].lock);
	}
	return mine;
}

bool
relay_queue_reserve(Size bytes)
{
	RelayQueue *queue = my_queue();
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
	LWLockAcquire(mine->lock, LW_EXCLUSIVE);
	mine->reserved -= reserved;
	LWLockRelease(mine->lock);
}

void
relay_queue_put(const char *bytes, Size reserved)
{
	RelayQueue *queue = mine;
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
	LWLockAcquire(mine->lock, LW_EXCLUSIVE);
	mine->worker = NULL;
	LWLockRelease(mine->lock);
}

void
relay_queue_attach(int queue)
{
	mine = &queues[queue];
	LWLockAcquire(mine->lock, LW_EXCLUSIVE);
	/* Of a database of the same name that was dropped. */
	if (mine->database != MyDatabaseId)
		mine->read = mine->written;
	mine->database = MyDatabaseId;
	mine->worker = MyLatch;
	LWLockRelease(mine->lock);
	before_shmem_exit(detach, 0);
}

Size
relay_queue_read(char *buffer)
{
	Size at, bytes, first;

	LWLockAcquire(mine->lock, LW_SHARED);
	at = mine->read % RELAY_QUEUE_SIZE;
	bytes = mine->written - mine->read;
	LWLockRelease(mine->lock);

	/* Nobody writes where something is that has not been read. */
	first = Min(bytes, RELAY_QUEUE_SIZE - at);
	memcpy(buffer, mine->ring + at, first);
	memcpy(buffer + first, mine->ring, bytes - first);
	return bytes;
}

void
relay_queue_forget(Size bytes)
{
	LWLockAcquire(mine->lock, LW_EXCLUSIVE);
	mine->read += bytes;
	LWLockRelease(mine->lock);
}
