/*
 * index_predicate.c — conditions of partial indexes that are prepared once
 */
#include "postgres.h"

#include "executor/executor.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/relid_cache.h"
#include "rows/foreign_code.h"
#include "rows/index_predicate.h"

typedef struct Predicate
{
	List	  *condition;
	ExprState *state; /* NULL: PostgreSQL prepares it for each statement */
} Predicate;

/*
 * An index keeps its condition for as long as it exists.  So a condition differs
 * only if its OID is that of another index now.
 */
typedef struct PredicateEntry
{
	RelidCacheEntry cached; /* of the index */
	Predicate	   *predicate;
} PredicateEntry;

/*
 * Those that were prepared.  There are few: the record tables of all order tables
 * have the same.  So they are kept for the session, but not any number.
 */
#define MAX_PREDICATES 100

static Predicate  not_prepared;
static List		 *predicates = NIL;
static RelidCache cache;

void
index_predicate_init(void)
{
	relid_cache_init(&cache, "ordcancel index predicates",
					 sizeof(PredicateEntry));
}

/*
 * A condition that calls other code is left to PostgreSQL: what is prepared could
 * become wrong, as functions are replaced or domains get other constraints, or be
 * in use when it is used again, as a function runs statements.
 */
static Predicate *
prepare(const List *condition)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel index predicate",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	Predicate	 *predicate = palloc0(sizeof(Predicate));

	predicate->condition = copyObject((List *) condition);
	if (!foreign_code_in((Node *) predicate->condition))
		predicate->state = ExecInitQual((List *) expression_planner(
											(Expr *) predicate->condition),
										NULL);
	MemoryContextSwitchTo(CacheMemoryContext);
	predicates = lappend(predicates, predicate);
	MemoryContextSwitchTo(caller);
	MemoryContextSetParent(context, CacheMemoryContext);
	return predicate;
}

static Predicate *
prepared(const List *condition)
{
	ListCell *lc;

	foreach(lc, predicates)
	{
		Predicate *predicate = lfirst(lc);

		if (equal(predicate->condition, condition))
			return predicate;
	}
	return list_length(predicates) < MAX_PREDICATES ? prepare(condition) :
													  &not_prepared;
}

void
index_predicate_use(ResultRelInfo *info)
{
	for (int i = 0; i < info->ri_NumIndices; i++)
	{
		IndexInfo	   *index = info->ri_IndexRelationInfo[i];
		PredicateEntry *entry;

		if (index->ii_Predicate == NIL)
			continue;
		entry = relid_cache_enter(&cache,
								  RelationGetRelid(
									  info->ri_IndexRelationDescs[i]));
		if (!entry->cached.valid || entry->predicate == NULL)
		{
			entry->cached.valid = true;
			entry->predicate = NULL; /* in case of an error */
			entry->predicate = prepared(index->ii_Predicate);
		}
		index->ii_PredicateState = entry->predicate->state;
	}
}
