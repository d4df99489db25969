/*
 * policy_cache.c — caches the policies of an order table
 */
#include "postgres.h"

#include "access/xact.h"
#include "common/hashfn.h"
#include "utils/memutils.h"

#include "config/policy_cache.h"
#include "config/policy_load.h"
#include "config/status_equality.h"

/* A cached policy. */
typedef struct KnownPolicy
{
	const char	 *name; /* hash key */
	uint32		  hash;
	char		  status;  /* for simplehash.h */
	uint64		  checked; /* it is valid if this equals table->changes */
	uint64		  fingerprint;
	MemoryContext context;
	Policy		 *policy; /* NULL: there is no policy of that name */
} KnownPolicy;

/* What a status means in any policy. */
typedef struct KnownStatus
{
	const char *text; /* hash key */
	uint32		hash;
	char		status;	 /* for simplehash.h */
	uint64		checked; /* it is valid if this equals table->changes */
	StatusKind	kind;
} KnownStatus;

#define HASH_TEXT(text) \
	hash_bytes((const unsigned char *) (text), strlen(text))

#define SH_PREFIX policies
#define SH_ELEMENT_TYPE KnownPolicy
#define SH_KEY_TYPE const char *
#define SH_KEY name
#define SH_HASH_KEY(tb, key) HASH_TEXT(key)
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

#define SH_PREFIX statuses
#define SH_ELEMENT_TYPE KnownStatus
#define SH_KEY_TYPE const char *
#define SH_KEY text
#define SH_HASH_KEY(tb, key) HASH_TEXT(key)
#define SH_EQUAL(tb, a, b) (strcmp(a, b) == 0)
#define SH_STORE_HASH
#define SH_GET_HASH(tb, a) (a)->hash
#define SH_SCOPE static inline
#define SH_DEFINE
#define SH_DECLARE
#include "lib/simplehash.h"

struct PolicyCache
{
	MemoryContext  context; /* of all of this */
	TimestampTz	   began;	/* start of the transaction that created it */
	policies_hash *policies;
	int			   nmissing;	   /* entries of names without a policy */
	MemoryContext  status_context; /* of the statuses */
	statuses_hash *statuses;
	uint64		   deletable_checked; /* table->changes when it was computed */
	bool		   deletable; /* see policy_cache_canceled_deletable() */
};

/* Limit for policies, for names without a policy, and for statuses. */
#define KNOWN_MAX 1000

static PolicyCache *
make_cache(OrderTable *table)
{
	MemoryContext context = AllocSetContextCreate(table->context,
												  "ordcancel policies",
												  ALLOCSET_SMALL_SIZES);
	PolicyCache	 *cache = MemoryContextAllocZero(context, sizeof(PolicyCache));

	cache->context = context;
	cache->began = GetCurrentTransactionStartTimestamp();
	cache->policies = policies_create(context, 8, NULL);
	cache->status_context = AllocSetContextCreate(context,
												  "ordcancel statuses",
												  ALLOCSET_SMALL_SIZES);
	cache->statuses = statuses_create(cache->status_context, 8, NULL);
	return cache;
}

/* The policy may be in use further up the call stack. */
static void
retire(const KnownPolicy *known)
{
	if (known->policy)
		MemoryContextSetParent(known->context, TopTransactionContext);
}

static void
forget(OrderTable *table)
{
	PolicyCache		 *cache = table->policies;
	policies_iterator i;
	KnownPolicy		 *known;

	table->policies = NULL;
	policies_start_iterate(cache->policies, &i);
	while ((known = policies_iterate(cache->policies, &i)) != NULL)
		retire(known);
	MemoryContextDelete(cache->context);
}

/*
 * All policies that a transaction uses stay cached until its end, since they
 * cannot be freed earlier.  If there were too many, the next transaction starts
 * with an empty cache.
 */
static PolicyCache *
cache_of(OrderTable *table)
{
	PolicyCache *cache = table->policies;

	if (cache && cache->policies->members > KNOWN_MAX + cache->nmissing &&
		cache->began != GetCurrentTransactionStartTimestamp())
		forget(table);
	if (table->policies == NULL)
		table->policies = make_cache(table);
	return table->policies;
}

/* Loads a policy into a memory context of its own. */
static KnownPolicy
read_policy(const OrderTable *table, const char *name)
{
	KnownPolicy known = {.checked = table->changes};

	known.context = AllocSetContextCreate(CurrentMemoryContext,
										  "ordcancel policy",
										  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(known.context);

	known.policy = policy_load(table, name, &known.fingerprint);
	MemoryContextSwitchTo(caller);
	if (known.policy == NULL)
		MemoryContextDelete(known.context);
	return known;
}

static const Policy *
find_policy(OrderTable *table, const char *name)
{
	PolicyCache *cache = cache_of(table);
	KnownPolicy *known = policies_lookup(cache->policies, name);
	KnownPolicy	 fresh;
	bool		 found;

	if (known && known->checked == table->changes)
		return known->policy;

	fresh = read_policy(table, name);
	if (known && known->policy && fresh.policy &&
		known->fingerprint == fresh.fingerprint)
	{
		known->checked = fresh.checked;
		MemoryContextDelete(fresh.context);
		return known->policy;
	}
	if (known == NULL)
	{
		if (fresh.policy == NULL && cache->nmissing >= KNOWN_MAX)
			return NULL;
		name = MemoryContextStrdup(cache->context, name);
		known = policies_insert(cache->policies, name, &found);
	}
	else
	{
		retire(known);
		cache->nmissing -= known->policy == NULL;
	}
	cache->nmissing += fresh.policy == NULL;
	known->checked = fresh.checked;
	known->fingerprint = fresh.fingerprint;
	known->context = fresh.context;
	known->policy = fresh.policy;
	if (fresh.policy)
		MemoryContextSetParent(fresh.context, cache->context);
	return fresh.policy;
}

const Policy *
policy_cache_get(OrderTable *table, const char *name)
{
	/* attach() creates the default policy; only superusers can delete it. */
	static const Policy nothing = {.name = "default"};
	const Policy	   *policy = name ? find_policy(table, name) : NULL;

	if (policy == NULL)
		policy = find_policy(table, "default");
	return policy ? policy : &nothing;
}

static StatusKind
kind_in_any_policy(OrderTable *table, const char *status)
{
	PolicyCache *cache = cache_of(table);
	KnownStatus *known = statuses_lookup(cache->statuses, status);
	uint64		 checked = table->changes;
	StatusKind	 kind;
	bool		 found;

	if (known && known->checked == checked)
		return known->kind;

	/* Comparing may run user-defined code, which may change the cache. */
	kind = table->has_status_names ? status_equality_kind(table, status) :
									 policy_load_status_kind(table, status);
	cache = cache_of(table);
	if (cache->statuses->members >= KNOWN_MAX)
	{
		MemoryContextReset(cache->status_context);
		cache->statuses = statuses_create(cache->status_context, 8, NULL);
	}
	known = statuses_lookup(cache->statuses, status);
	if (known == NULL)
	{
		status = MemoryContextStrdup(cache->status_context, status);
		known = statuses_insert(cache->statuses, status, &found);
	}
	known->checked = checked;
	known->kind = kind;
	return kind;
}

StatusKind
policy_cache_status_kind(OrderTable *table, const Policy *policy,
						 const char *status)
{
	StatusKind kind = status_kind(policy, status);

	return kind != STATUS_ORDINARY || status == NULL ?
		kind :
		kind_in_any_policy(table, status);
}

/*
 * True even if the rule and the status belong to different policies.  The
 * caller only uses it to skip a search for the cancellation.
 */
bool
policy_cache_canceled_deletable(OrderTable *table)
{
	uint64		 checked = table->changes;
	PolicyCache *cache = cache_of(table);
	bool		 deletable = false;

	if (cache->deletable_checked == checked)
		return cache->deletable;
	for (char *status = policy_load_next_deletable(table, "");
		 status && !deletable;
		 status = policy_load_next_deletable(table, status))
		deletable = kind_in_any_policy(table, status) == STATUS_CANCELED ||
			policy_load_is_closed(table, status);
	cache = cache_of(table);
	cache->deletable = deletable;
	cache->deletable_checked = checked;
	return deletable;
}
