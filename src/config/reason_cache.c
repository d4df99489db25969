/*
 * reason_cache.c — reason codes and refund methods
 */
#include "postgres.h"

#include "utils/inval.h"
#include "utils/memutils.h"

#include "base/relid_cache.h"
#include "config/config_table.h"
#include "config/reason_cache.h"

/* Column numbers in ordcancel.reason; append only. */
enum
{
	REASON_CODE = 1,
	REASON_DESCRIPTION,
	REASON_AUDIENCE,
	REASON_REQUIRES_NOTE,
	REASON_REQUIRES_REQUEST,
	REASON_ACTIVE,
	REASON_NOTE_MAX,
};

/* There is one entry, keyed by the OID of ordcancel.reason. */
typedef struct ReasonEntry
{
	RelidCacheEntry cached;
	MemoryContext	context;
	List		   *reasons;
} ReasonEntry;

static RelidCache	reasons;
static ReasonEntry *current = NULL;

void
reason_cache_init(void)
{
	relid_cache_init(&reasons, "ordcancel reasons", sizeof(ReasonEntry));
}

static void
load_reason(HeapTuple row, TupleDesc desc, void *arg)
{
	Reason *reason = palloc0(sizeof(Reason));
	char   *audience = config_text(row, desc, REASON_AUDIENCE);

	reason->code = config_text(row, desc, REASON_CODE);
	reason->audience = AUDIENCE_ANY;
	if (audience)
		audience_from_name(audience, &reason->audience);
	reason->requires_note = config_bool(row, desc, REASON_REQUIRES_NOTE);
	reason->requires_request = config_bool(row, desc, REASON_REQUIRES_REQUEST);
	reason->active = config_bool(row, desc, REASON_ACTIVE);
	reason->note_max = config_int(row, desc, REASON_NOTE_MAX);
	*(List **) arg = lappend(*(List **) arg, reason);
}

/*
 * The old list may still be in use further up the call stack, so it is freed at
 * the end of the transaction.
 */
static void
load(void)
{
	MemoryContext fresh = AllocSetContextCreate(CurrentMemoryContext,
												"ordcancel reasons",
												ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(fresh);
	List		 *list = NIL;

	current = relid_cache_enter(&reasons, config_relation("reason"));
	current->cached.valid = OidIsValid(current->cached.relid);
	PG_TRY();
	{
		config_scan("reason", InvalidOid, load_reason, &list);
	}
	PG_CATCH();
	{
		current->cached.valid = false;
		PG_RE_THROW();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	if (current->context)
		MemoryContextSetParent(current->context, TopTransactionContext);
	MemoryContextSetParent(fresh, CacheMemoryContext);
	current->context = fresh;
	current->reasons = list;
}

const Reason *
reason_cache_find(const char *code)
{
	ListCell *lc;

	AcceptInvalidationMessages();
	if (current == NULL || !current->cached.valid)
		load();
	foreach(lc, current->reasons)
	{
		const Reason *reason = lfirst(lc);

		if (strcmp(reason->code, code) == 0)
			return reason;
	}
	return NULL;
}

typedef struct MethodSearch
{
	const char *code;
	bool		found;
} MethodSearch;

static void
match_method(HeapTuple row, TupleDesc desc, void *arg)
{
	MethodSearch *search = arg;

	if (strcmp(config_text(row, desc, 1), search->code) == 0)
		search->found = true;
}

bool
refund_method_exists(const char *code)
{
	MethodSearch search = {.code = code};

	if (code)
		config_scan("refund_method", InvalidOid, match_method, &search);
	return search.found;
}
