/*
 * repeated_call.c — calls that PostgreSQL multiplies are one
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "utils/datum.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "entry/call_bytes.h"
#include "entry/repeated_call.h"

typedef struct Kept
{
	struct Kept		*older; /* of the statement; a subtransaction's last */
	struct Kept		*next;	/* in the bucket */
	uint32			 hash;
	SubTransactionId subid; /* where its change is */
	Datum			 result;
	int				 length;
	char			 key[FLEXIBLE_ARRAY_MEMBER]; /* and after it the result */
} Kept;

/* The calls of one statement. */
typedef struct Statement
{
	struct Statement *next;	   /* one used longer ago */
	CommandId		  command; /* what its snapshot sees up to */
	Kept			 *newest;
	int				  count;
	int				  nbuckets; /* a power of 2; 0: they are few */
	Kept			**buckets;
} Statement;

/*
 * In a context of the executor there is one statement.  In that of PL/pgSQL's
 * expressions they follow each other, and those that wait for a function in
 * them are few.
 */
#define STATEMENTS_MAX 8

/* More calls than this are worth a hash table. */
#define CALLS_FEW 8

/* The statements of one memory context, in which all of this is. */
typedef struct Room
{
	dlist_node			  node;
	MemoryContext		  context;
	MemoryContextCallback cleanup;
	Statement			 *statements;
} Room;

static dlist_head rooms = DLIST_STATIC_INIT(rooms);

static void
forget_room(void *arg)
{
	Room *room = arg;

	dlist_delete(&room->node);
}

static void
forget_statement(Statement *s)
{
	while (s->newest)
	{
		Kept *args = s->newest;

		s->newest = args->older;
		pfree(args);
	}
	if (s->buckets)
		pfree(s->buckets);
	pfree(s);
}

/* Those after the first so many. */
static void
forget_statements(Room *room, int but)
{
	Statement **link = &room->statements;

	for (int i = 0; i < but && *link; i++)
		link = &(*link)->next;
	while (*link)
	{
		Statement *s = *link;

		*link = s->next;
		forget_statement(s);
	}
}

/* Commands are counted anew in every transaction. */
static void
transaction_ends(XactEvent event, void *arg)
{
	dlist_iter i;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	dlist_foreach(i, &rooms)
	{
		forget_statements(dlist_container(Room, node, i.cur), 0);
	}
}

static Kept **
bucket(Statement *s, uint32 hash)
{
	return &s->buckets[hash & (s->nbuckets - 1)];
}

static void
forget_newest(Statement *s)
{
	Kept *args = s->newest;

	if (s->buckets)
	{
		Kept **link = bucket(s, args->hash);

		while (*link != args)
			link = &(*link)->next;
		*link = args->next;
	}
	s->newest = args->older;
	s->count--;
	pfree(args);
}

/*
 * What a subtransaction did is its parent's from its commit on, or undone.
 * Its calls are the newest ones of each statement.
 */
static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid,
					SubTransactionId parent, void *arg)
{
	dlist_iter i;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	dlist_foreach(i, &rooms)
	{
		Statement *s = dlist_container(Room, node, i.cur)->statements;

		for (; s; s = s->next)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				while (s->newest && s->newest->subid == subid)
					forget_newest(s);
			else
				for (Kept *args = s->newest; args && args->subid == subid;
					 args = args->older)
					args->subid = parent;
		}
	}
}

static Room *
find_room(MemoryContext context)
{
	dlist_iter i;

	dlist_foreach(i, &rooms)
	{
		Room *room = dlist_container(Room, node, i.cur);

		if (room->context == context)
			return room;
	}
	return NULL;
}

static Room *
make_room(MemoryContext context)
{
	static bool registered = false;
	Room	   *room = MemoryContextAllocZero(context, sizeof(Room));

	if (!registered)
	{
		RegisterXactCallback(transaction_ends, NULL);
		RegisterSubXactCallback(subtransaction_ends, NULL);
		registered = true;
	}
	room->context = context;
	room->cleanup.func = forget_room;
	room->cleanup.arg = room;
	MemoryContextRegisterResetCallback(context, &room->cleanup);
	dlist_push_head(&rooms, &room->node);
	return room;
}

/* The statement becomes the one that was used last. */
static Statement *
find_statement(Room *room, CommandId command)
{
	for (Statement **link = &room->statements; *link; link = &(*link)->next)
	{
		Statement *s = *link;

		if (s->command != command)
			continue;
		*link = s->next;
		s->next = room->statements;
		room->statements = s;
		return s;
	}
	return NULL;
}

static Statement *
make_statement(Room *room, CommandId command)
{
	Statement *s = MemoryContextAllocZero(room->context, sizeof(Statement));

	s->command = command;
	s->next = room->statements;
	room->statements = s;
	forget_statements(room, STATEMENTS_MAX);
	return s;
}

static void
put_into_bucket(Statement *s, Kept *args)
{
	Kept **link = bucket(s, args->hash);

	args->next = *link;
	*link = args;
}

static void
grow(Statement *s, MemoryContext context)
{
	if (s->buckets)
		pfree(s->buckets);
	s->nbuckets = Max(s->nbuckets, CALLS_FEW) * 2;
	s->buckets = MemoryContextAllocExtended(context,
											s->nbuckets * sizeof(Kept *),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (Kept *args = s->newest; args; args = args->older)
		put_into_bucket(s, args);
}

static uint32
hash_key(const StringInfo key)
{
	return hash_bytes((unsigned char *) key->data, key->len);
}

/* The statement that calls, where it has made calls before. */
static Statement *
calling_statement(FunctionCallInfo fcinfo)
{
	Room *room = find_room(fcinfo->flinfo->fn_mcxt);

	return room && ActiveSnapshotSet() ?
		find_statement(room, GetActiveSnapshot()->curcid) :
		NULL;
}

static Kept *
find_call(Statement *s, const StringInfo key)
{
	uint32 hash = hash_key(key);
	Kept  *args = s->buckets ? *bucket(s, hash) : s->newest;

	while (args &&
		   (args->hash != hash || args->length != key->len ||
			memcmp(args->key, key->data, key->len) != 0))
		args = s->buckets ? args->next : args->older;
	return args;
}

bool
repeated_call_find(FunctionCallInfo fcinfo, StringInfo key, Datum *result)
{
	Statement *s = calling_statement(fcinfo);
	Kept	  *args;

	key->data = NULL;
	if (s == NULL || !call_bytes(fcinfo, key))
		return false;
	args = find_call(s, key);
	if (args == NULL)
		return false;

	/* The statement's end must not take away what it was given. */
	*result = datumCopy(args->result, false, -1);
	return true;
}

void
repeated_call_remember(FunctionCallInfo fcinfo, StringInfo key, Datum result)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	Statement	 *s;
	Kept		 *args;
	Size		  length = VARSIZE_ANY(DatumGetPointer(result));
	Size		  offset;

	if (!ActiveSnapshotSet() ||
		(key->data == NULL && !call_bytes(fcinfo, key)))
		return;
	s = calling_statement(fcinfo);
	if (s == NULL)
	{
		Room *room = find_room(context);

		if (room == NULL)
			room = make_room(context);
		s = make_statement(room, GetActiveSnapshot()->curcid);
	}

	offset = MAXALIGN(offsetof(Kept, key) + key->len);
	args = MemoryContextAlloc(context, offset + length);
	args->hash = hash_key(key);
	args->subid = GetCurrentSubTransactionId();
	args->length = key->len;
	memcpy(args->key, key->data, key->len);
	args->result = PointerGetDatum((char *) args + offset);
	memcpy(DatumGetPointer(args->result), DatumGetPointer(result), length);

	args->older = s->newest;
	s->newest = args;
	if (++s->count > Max(s->nbuckets, CALLS_FEW))
		grow(s, context);
	else if (s->buckets)
		put_into_bucket(s, args);
	pfree(key->data);
}
