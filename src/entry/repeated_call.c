/*
 * repeated_call.c — repeated evaluation of one call is one call
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

/* A call that changed something, and its result. */
typedef struct Call
{
	struct Call		*older; /* in the statement */
	struct Call		*next;	/* in the bucket */
	uint32			 hash;
	SubTransactionId subid; /* that made the change */
	Datum			 result;
	int				 length;					 /* of key */
	char			 key[FLEXIBLE_ARRAY_MEMBER]; /* the result follows it */
} Call;

/* The calls of one statement. */
typedef struct Statement
{
	struct Statement *next;	   /* the next less recently used one */
	CommandId		  command; /* curcid of its snapshot */
	Call			 *newest;
	int				  count;
	int				  nbuckets; /* a power of 2, or 0: search the list */
	Call			**buckets;
} Statement;

/*
 * Statements kept per memory context.  A context of the executor has one.  In
 * the context of PL/pgSQL's simple expressions, statements come one after
 * another; only few of them can be waiting for a function that they call.
 */
#define STATEMENTS_MAX 8

/* More calls than this are put into a hash table. */
#define CALLS_FEW 8

/* The statements of one memory context, and allocated in it. */
typedef struct ContextCalls
{
	dlist_node			  node;
	MemoryContext		  context;
	MemoryContextCallback cleanup;
	Statement			 *statements;
} ContextCalls;

static dlist_head contexts = DLIST_STATIC_INIT(contexts);

static void
forget_context(void *arg)
{
	ContextCalls *calls = arg;

	dlist_delete(&calls->node);
}

static void
forget_statement(Statement *s)
{
	while (s->newest)
	{
		Call *call = s->newest;

		s->newest = call->older;
		pfree(call);
	}
	if (s->buckets)
		pfree(s->buckets);
	pfree(s);
}

/* Frees all but the "keep" most recently used statements. */
static void
forget_statements(ContextCalls *calls, int keep)
{
	Statement **link = &calls->statements;

	for (int i = 0; i < keep && *link; i++)
		link = &(*link)->next;
	while (*link)
	{
		Statement *s = *link;

		*link = s->next;
		forget_statement(s);
	}
}

/* Command IDs start again in each transaction. */
static void
transaction_ends(XactEvent event, void *arg)
{
	dlist_iter i;

	if (event != XACT_EVENT_COMMIT && event != XACT_EVENT_ABORT &&
		event != XACT_EVENT_PREPARE)
		return;
	dlist_foreach(i, &contexts)
	{
		forget_statements(dlist_container(ContextCalls, node, i.cur), 0);
	}
}

static Call **
bucket(Statement *s, uint32 hash)
{
	return &s->buckets[hash & (s->nbuckets - 1)];
}

static void
forget_newest(Statement *s)
{
	Call *call = s->newest;

	if (s->buckets)
	{
		Call **link = bucket(s, call->hash);

		while (*link != call)
			link = &(*link)->next;
		*link = call->next;
	}
	s->newest = call->older;
	s->count--;
	pfree(call);
}

/*
 * After its commit, what a subtransaction did belongs to its parent; after a
 * rollback it is undone.  Its calls are the newest ones of each statement.
 */
static void
subtransaction_ends(SubXactEvent event, SubTransactionId subid,
					SubTransactionId parent, void *arg)
{
	dlist_iter i;

	if (event != SUBXACT_EVENT_COMMIT_SUB && event != SUBXACT_EVENT_ABORT_SUB)
		return;
	dlist_foreach(i, &contexts)
	{
		Statement *s = dlist_container(ContextCalls, node, i.cur)->statements;

		for (; s; s = s->next)
		{
			if (event == SUBXACT_EVENT_ABORT_SUB)
				while (s->newest && s->newest->subid == subid)
					forget_newest(s);
			else
				for (Call *call = s->newest; call && call->subid == subid;
					 call = call->older)
					call->subid = parent;
		}
	}
}

static ContextCalls *
find_context(MemoryContext context)
{
	dlist_iter i;

	dlist_foreach(i, &contexts)
	{
		ContextCalls *calls = dlist_container(ContextCalls, node, i.cur);

		if (calls->context == context)
			return calls;
	}
	return NULL;
}

static ContextCalls *
make_context(MemoryContext context)
{
	static bool	  registered = false;
	ContextCalls *calls = MemoryContextAllocZero(context,
												 sizeof(ContextCalls));

	if (!registered)
	{
		RegisterXactCallback(transaction_ends, NULL);
		RegisterSubXactCallback(subtransaction_ends, NULL);
		registered = true;
	}
	calls->context = context;
	calls->cleanup.func = forget_context;
	calls->cleanup.arg = calls;
	MemoryContextRegisterResetCallback(context, &calls->cleanup);
	dlist_push_head(&contexts, &calls->node);
	return calls;
}

/* The statement becomes the most recently used one. */
static Statement *
find_statement(ContextCalls *calls, CommandId command)
{
	for (Statement **link = &calls->statements; *link; link = &(*link)->next)
	{
		Statement *s = *link;

		if (s->command != command)
			continue;
		*link = s->next;
		s->next = calls->statements;
		calls->statements = s;
		return s;
	}
	return NULL;
}

static Statement *
make_statement(ContextCalls *calls, CommandId command)
{
	Statement *s = MemoryContextAllocZero(calls->context, sizeof(Statement));

	s->command = command;
	s->next = calls->statements;
	calls->statements = s;
	forget_statements(calls, STATEMENTS_MAX);
	return s;
}

static void
put_into_bucket(Statement *s, Call *call)
{
	Call **link = bucket(s, call->hash);

	call->next = *link;
	*link = call;
}

static void
grow(Statement *s, MemoryContext context)
{
	if (s->buckets)
		pfree(s->buckets);
	s->nbuckets = Max(s->nbuckets, CALLS_FEW) * 2;
	s->buckets = MemoryContextAllocExtended(context,
											s->nbuckets * sizeof(Call *),
											MCXT_ALLOC_HUGE | MCXT_ALLOC_ZERO);
	for (Call *call = s->newest; call; call = call->older)
		put_into_bucket(s, call);
}

static uint32
hash_key(const StringInfo key)
{
	return hash_bytes((unsigned char *) key->data, key->len);
}

/* The calling statement, if it has made calls before; else NULL. */
static Statement *
calling_statement(FunctionCallInfo fcinfo)
{
	ContextCalls *calls = find_context(fcinfo->flinfo->fn_mcxt);

	return calls && ActiveSnapshotSet() ?
		find_statement(calls, GetActiveSnapshot()->curcid) :
		NULL;
}

static Call *
find_call(Statement *s, const StringInfo key)
{
	uint32 hash = hash_key(key);
	Call  *call = s->buckets ? *bucket(s, hash) : s->newest;

	while (call &&
		   (call->hash != hash || call->length != key->len ||
			memcmp(call->key, key->data, key->len) != 0))
		call = s->buckets ? call->next : call->older;
	return call;
}

bool
repeated_call_find(FunctionCallInfo fcinfo, StringInfo key, Datum *result)
{
	Statement *s = calling_statement(fcinfo);
	Call	  *call;

	key->data = NULL;
	if (s == NULL || !call_bytes(fcinfo, key))
		return false;
	call = find_call(s, key);
	if (call == NULL)
		return false;

	/* The remembered result is freed with the statement. */
	*result = datumCopy(call->result, false, -1);
	return true;
}

void
repeated_call_remember(FunctionCallInfo fcinfo, StringInfo key, Datum result)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	Statement	 *s;
	Call		 *call;
	Size		  length = VARSIZE_ANY(DatumGetPointer(result));
	Size		  offset;

	if (!ActiveSnapshotSet() ||
		(key->data == NULL && !call_bytes(fcinfo, key)))
		return;
	s = calling_statement(fcinfo);
	if (s == NULL)
	{
		ContextCalls *calls = find_context(context);

		if (calls == NULL)
			calls = make_context(context);
		s = make_statement(calls, GetActiveSnapshot()->curcid);
	}

	offset = MAXALIGN(offsetof(Call, key) + key->len);
	call = MemoryContextAlloc(context, offset + length);
	call->hash = hash_key(key);
	call->subid = GetCurrentSubTransactionId();
	call->length = key->len;
	memcpy(call->key, key->data, key->len);
	call->result = PointerGetDatum((char *) call + offset);
	memcpy(DatumGetPointer(call->result), DatumGetPointer(result), length);

	call->older = s->newest;
	s->newest = call;
	if (++s->count > Max(s->nbuckets, CALLS_FEW))
		grow(s, context);
	else if (s->buckets)
		put_into_bucket(s, call);
	pfree(key->data);
}
