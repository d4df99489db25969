/*
 * outbox.c — a transaction's announcements, until it commits
 *
 * They lie in one buffer as the relay's queue wants them.  Marks tell where
 * those of each subtransaction begin, so that a rollback cuts them off.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "lib/stringinfo.h"
#include "utils/memutils.h"

#include "notify/outbox.h"
#include "notify/relay_queue.h"

typedef struct Mark
{
	int			 level;
	int			 begin;
	struct Mark *outer;
} Mark;

/* Of the transaction; NULL when it has none. */
static StringInfo box = NULL;
static Mark		 *marks = NULL;

/* About to commit: with so many bytes of the queue, or none. */
static bool closed = false;
static Size reserved = 0;

static void
forget(void)
{
	/* The memory is the transaction's. */
	box = NULL;
	marks = NULL;
}

/* A transaction may have any number of savepoints. */
static void
drop_mark(void)
{
	Mark *outer = marks->outer;

	pfree(marks);
	marks = outer;
}

void
outbox_add(const char *channel, const char *payload)
{
	int			  channel_size = strlen(channel) + 1;
	int			  payload_size = strlen(payload) + 1;
	int			  level = GetCurrentTransactionNestLevel();
	MemoryContext old = MemoryContextSwitchTo(TopTransactionContext);

	if (box == NULL)
		box = makeStringInfo();

	/*
	 * Another library may cancel orders while the transaction commits, when
	 * NOTIFY is still open.  And what NOTIFY refuses must not get to the
	 * worker, which would fail on it for ever.
	 */
	if (closed || channel[0] == '\0' || channel_size > NAMEDATALEN ||
		box->len + channel_size + payload_size > RELAY_QUEUE_SIZE)
		Async_Notify(channel, payload);
	else
	{
		if (marks == NULL || marks->level < level)
		{
			Mark *mark = palloc(sizeof(Mark));

			mark->level = level;
			mark->begin = box->len;
			mark->outer = marks;
			marks = mark;
		}
		appendBinaryStringInfo(box, channel, channel_size);
		appendBinaryStringInfo(box, payload, payload_size);
	}
	MemoryContextSwitchTo(old);
}

/* There is no worker, or no room. */
static void
announce_in_transaction(void)
{
	const char *at = box->data;

	while (at < box->data + box->len)
	{
		const char *payload = at + strlen(at) + 1;

		Async_Notify(at, payload);
		at = payload + strlen(payload) + 1;
	}
	forget();
}

static void
close_box(void)
{
	closed = true;
	if (box == NULL || box->len == 0)
		return;
	if (relay_queue_reserve(box->len))
		reserved = box->len;
	else
		announce_in_transaction();
}

static void
transaction_event(XactEvent event, void *arg)
{
	switch (event)
	{
		case XACT_EVENT_PRE_COMMIT:
			close_box();
			return;
		case XACT_EVENT_PRE_PREPARE:
			/* PostgreSQL says the same of NOTIFY. */
			if (box && box->len > 0)
				ereport(
					ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg(
						 "cannot prepare a transaction that has events to announce"),
					 errhint(
						 "Set ordcancel.notify to off for it; the events are in the event table.")));
			return;
		case XACT_EVENT_COMMIT:
			if (reserved > 0)
				relay_queue_put(box->data, reserved);
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
	int level = GetCurrentTransactionNestLevel();

	if (marks == NULL || marks->level < level)
		return;
	if (event == SUBXACT_EVENT_ABORT_SUB)
	{
		for (; marks && marks->level >= level; drop_mark())
			box->len = marks->begin;
	}
	else if (event == SUBXACT_EVENT_COMMIT_SUB)
	{
		if (marks->outer && marks->outer->level == level - 1)
			drop_mark();
		else
			marks->level = level - 1;
	}
}

void
outbox_init(void)
{
	RegisterXactCallback(transaction_event, NULL);
	RegisterSubXactCallback(subtransaction_event, NULL);
}
