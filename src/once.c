/*
 * once.c — calls that PostgreSQL multiplies are one
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "lib/ilist.h"
#include "lib/stringinfo.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"

#include "once.h"

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
	CommandId	  command; /* what its snapshot sees up to */
	MemoryContext context; /* NULL: none */
	uint64		  used;	   /* when, to find the one used longest ago */
	Kept		 *newest;
	int			  count;
	int			  nbuckets; /* a power of 2 */
	Kept		**buckets;
} Statement;

/*
 * In a context of the executor there is one statement.  In that of PL/pgSQL's
 * expressions they follow each other, and those that wait for a function in
 * them are few.
 */
#define STATEMENTS_MAX 8

/* The statements of one memory context, in which this stands itself. */
typedef struct Room
{
	dlist_node			  node;
	MemoryContext		  context;
	MemoryContextCallback cleanup;
	Statement			  statements[STATEMENTS_MAX];
} Room;

static dlist_head rooms = DLIST_STATIC_INIT(rooms);
static uint64	  use_count = 0;

static void
forget_room(void *arg)
{
	Room *room = arg;

	dlist_delete(&room->node);
}

static void
forget_statement(Statement *s)
{
	MemoryContext context = s->context;

	memset(s, 0, sizeof(Statement));
	if (context)
		MemoryContextDelete(context);
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
		for (int n = 0; n < STATEMENTS_MAX; n++)
			forget_statement(
				&dlist_container(Room, node, i.cur)->statements[n]);
}

static Kept **
bucket(Statement *s, uint32 hash)
{
	return &s->buckets[hash & (s->nbuckets - 1)];
}

static void
forget_newest(Statement *s)
{
	Kept  *call = s->newest;
	Kept **link = bucket(s, call->hash);

	while (*link != call)
		link = &(*link)->next;
	*link = call->next;
	s->newest = call->older;
	s->count--;
	pfree(call);
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
		Room *room = dlist_container(Room, node, i.cur);

		for (int n = 0; n < STATEMENTS_MAX; n++)
		{
			Statement *s = &room->statements[n];

			if (event == SUBXACT_EVENT_ABORT_SUB)
				while (s->newest && s->newest->subid == subid)
					forget_newest(s);
			else
				for (Kept *call = s->newest; call && call->subid == subid;
					 call = call->older)
					call->subid = parent;
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

static Statement *
find_statement(Room *room, CommandId command)
{
	for (int i = 0; i < STATEMENTS_MAX; i++)
		if (room->statements[i].context &&
			room->statements[i].command == command)
			return &room->statements[i];
	return NULL;
}

static Statement *
make_statement(Room *room, CommandId command)
{
	Statement	 *s = &room->statements[0];
	MemoryContext context = AllocSetContextCreate(room->context,
												  "ordcancel calls",
												  ALLOCSET_SMALL_SIZES);

	for (int i = 1; i < STATEMENTS_MAX; i++)
		if (room->statements[i].used < s->used)
			s = &room->statements[i];
	forget_statement(s);
	s->nbuckets = 8;
	s->buckets = MemoryContextAllocZero(context, s->nbuckets * sizeof(Kept *));
	s->command = command;
	s->context = context;
	return s;
}

static void
grow(Statement *s)
{
	int	   nbuckets = s->nbuckets * 2;
	Kept **buckets = MemoryContextAllocExtended(s->context,
												nbuckets * sizeof(Kept *),
												MCXT_ALLOC_HUGE |
													MCXT_ALLOC_ZERO);

	pfree(s->buckets);
	s->buckets = buckets;
	s->nbuckets = nbuckets;
	for (Kept *call = s->newest; call; call = call->older)
	{
		Kept **link = bucket(s, call->hash);

		call->next = *link;
		*link = call;
	}
}

/* A value's bytes, whichever way it is stored. */
static void
append_value(StringInfo key, Datum value, Oid type)
{
	int16 length;
	bool  byval;
	int	  bytes;

	get_typlenbyval(type, &length, &byval);
	if (byval)
	{
		appendBinaryStringInfo(key, (char *) &value, sizeof(Datum));
		return;
	}
	if (length == -1)
	{
		struct varlena *packed = PG_DETOAST_DATUM_PACKED(value);

		value = PointerGetDatum(VARDATA_ANY(packed));
		bytes = VARSIZE_ANY_EXHDR(packed);
	}
	else
		bytes = length == -2 ? strlen(DatumGetCString(value)) : length;
	appendBinaryStringInfo(key, (char *) &bytes, sizeof(bytes));
	appendBinaryStringInfo(key, DatumGetPointer(value), bytes);
}

/*
 * Function and arguments as bytes; false where their types are not known, as
 * of calls by the fast-path protocol, which nothing multiplies.
 */
static bool
make_key(FunctionCallInfo fcinfo, StringInfo key)
{
	initStringInfo(key);
	appendBinaryStringInfo(key, (char *) &fcinfo->flinfo->fn_oid, sizeof(Oid));
	for (int i = 0; i < fcinfo->nargs; i++)
	{
		bool isnull = PG_ARGISNULL(i);
		Oid	 type = get_fn_expr_argtype(fcinfo->flinfo, i);

		if (!OidIsValid(type))
			return false;
		appendBinaryStringInfo(key, (char *) &type, sizeof(Oid));
		appendStringInfoChar(key, isnull);
		if (!isnull)
			append_value(key, PG_GETARG_DATUM(i), type);
	}
	return true;
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
	Room	  *room = find_room(fcinfo->flinfo->fn_mcxt);
	Statement *s = NULL;

	if (room && ActiveSnapshotSet())
		s = find_statement(room, GetActiveSnapshot()->curcid);
	if (s)
		s->used = ++use_count;
	return s;
}

bool
once_done(FunctionCallInfo fcinfo, Datum *result)
{
	Statement	  *s = calling_statement(fcinfo);
	StringInfoData key;
	uint32		   hash;

	if (s == NULL || !make_key(fcinfo, &key))
		return false;
	hash = hash_key(&key);
	for (Kept *call = *bucket(s, hash); call; call = call->next)
		if (call->hash == hash && call->length == key.len &&
			memcmp(call->key, key.data, key.len) == 0)
		{
			/* The statement's end must not take away what it was given. */
			*result = datumCopy(call->result, false, -1);
			return true;
		}
	return false;
}

void
once_keep(FunctionCallInfo fcinfo, Datum result)
{
	Statement	  *s;
	StringInfoData key;
	Kept		  *call;
	Size		   length = VARSIZE_ANY(DatumGetPointer(result));
	Size		   offset;
	Kept		 **link;

	if (!ActiveSnapshotSet() || !make_key(fcinfo, &key))
		return;
	s = calling_statement(fcinfo);
	if (s == NULL)
	{
		Room *room = find_room(fcinfo->flinfo->fn_mcxt);

		if (room == NULL)
			room = make_room(fcinfo->flinfo->fn_mcxt);
		s = make_statement(room, GetActiveSnapshot()->curcid);
		s->used = ++use_count;
	}
	else if (s->count >= s->nbuckets)
		grow(s);

	offset = MAXALIGN(offsetof(Kept, key) + key.len);
	call = MemoryContextAlloc(s->context, offset + length);
	call->hash = hash_key(&key);
	call->subid = GetCurrentSubTransactionId();
	call->length = key.len;
	memcpy(call->key, key.data, key.len);
	call->result = PointerGetDatum((char *) call + offset);
	memcpy(DatumGetPointer(call->result), DatumGetPointer(result), length);

	link = bucket(s, call->hash);
	call->next = *link;
	*link = call;
	call->older = s->newest;
	s->newest = call;
	s->count++;
	pfree(key.data);
}
