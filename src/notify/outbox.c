/*
 * outbox.c — keeps a transaction's notifications until it commits
 *
 * All notifications are in one buffer, in the format of the relay's queue.  A
 * stack of Levels says where those of each subtransaction start, so that a
 * rollback can truncate the buffer.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "notify/outbox.h"
#include "notify/relay_queue.h"

/* A (sub)transaction that has added notifications. */
typedef struct Level
{
	int			  nest_level;
	int			  start; /* of its notifications in the buffer */
	struct Level *outer;
} Level;

/* In TopTransactionContext; NULL if there are no notifications. */
static StringInfo buffer = NULL;
static Level	 *innermost = NULL;

/* Set while the transaction commits. */
static bool closed = false;
static Size reserved = 0; /* bytes of the relay's queue */

/* The memory is freed with the transaction. */
static void
forget(void)
{
	buffer = NULL;
	innermost = NULL;
}

/* Freed at once, since a transaction can have millions of savepoints. */
static void
pop_level(void)
{
	Level *outer = innermost->outer;

	pfree(innermost);
	innermost = outer;
}

void
outbox_add(const char *channel, const char *payload)
{
	int			  channel_size = strlen(channel) + 1;
	int			  payload_size = strlen(payload) + 1;
	int			  nest_level = GetCurrentTransactionNestLevel();
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	if (buffer == NULL)
		buffer = makeStringInfo();

	/*
	 * A pre-commit callback of another library may call us when space in the
	 * queue has been reserved already, but can still use NOTIFY.  A channel
	 * name that NOTIFY does not accept must raise its error here: the worker
	 * would fail on it forever.
	 */
	if (closed || channel[0] == '\0' || channel_size > NAMEDATALEN ||
		buffer->len + channel_size + payload_size > RELAY_QUEUE_SIZE)
		Async_Notify(channel, payload);
	else
	{
		if (innermost == NULL || innermost->nest_level < nest_level)
		{
			Level *level = palloc(sizeof(Level));

			level->nest_level = nest_level;
			level->start = buffer->len;
			level->outer = innermost;
			innermost = level;
		}
		appendBinaryStringInfo(buffer, channel, channel_size);
		appendBinaryStringInfo(buffer, payload, payload_size);
	}
	MemoryContextSwitchTo(old);
}

/* There is no worker, or its queue is full. */
static void
notify_all(void)
{
	const char *at = buffer->data;

	while (at < buffer->data + buffer->len)
	{
		const char *payload = at + strlen(at) + 1;

		Async_Notify(at, payload);
		at = payload + strlen(payload) + 1;
	}
	forget();
}

static void
close_outbox(void)
{
	closed = true;
	if (buffer == NULL || buffer->len == 0)
		return;
	if (relay_queue_reserve(buffer->len))
		reserved = buffer->len;
	else
		notify_all();
}

static void
transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			close_outbox();
			return;
		case XACT_EVENT_PRE_PREPARE:
			/* PostgreSQL does not allow it with NOTIFY either. */
			if (buffer && buffer->len > 0)
				ereport(
					ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg(
						 "cannot prepare a transaction that has events to announce"),
					 errhint(
						 "Set ordcancel.notify to off for this transaction; "
						 "its events are still written to the event table.")));
			return;
		case XACT_EVENT_COMMIT:
			if (reserved > 0)
				relay_queue_put(buffer->data, reserved);
			break;
		case XACT_EVENT_ABORT:
			if (reserved > 0)
				relay_queue_release(reserved);
			break;
		case XACT_EVENT_PREPARE:
			break;
		default:
			return;
	}
	closed = false;
	reserved = 0;
	forget();
}

static void
subtransaction_event(SubXactEvent event, SubTransactionId me,
					 SubTransactionId parent, void *arg)
{
	int nest_level = GetCurrentTransactionNestLevel();

	if (innermost == NULL || innermost->nest_level < nest_level)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		for (; innermost && innermost->nest_level >= nest_level; pop_level())
			buffer->len = innermost->start;
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		if (innermost->outer && innermost->outer->nest_level == nest_level - 1)
			pop_level();
		else
			innermost->nest_level = nest_level - 1;
	}
}

void
outbox_init(void)
{
	RegisterXactCallback(transaction_event, NULL);
	RegisterSubXactCallback(subtransaction_event, NULL);
}
