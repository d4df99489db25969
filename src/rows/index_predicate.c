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

/*
 * An index keeps its condition for as long as it exists.  So a condition differs
 * only if its OID is that of another index now, and the former one is no longer in
 * use.
 */
typedef struct PredicateEntry
{
	RelidCacheEntry cached;	 /* of the index */
	MemoryContext	context; /* holds the rest */
	List		   *predicate;
	ExprState	   *state; /* NULL: it is not kept */
} PredicateEntry;

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
static void
prepare(PredicateEntry *entry, const List *predicate)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext,
												  "ordcancel index predicate",
												  ALLOCSET_SMALL_SIZES);
	MemoryContext caller = MemoryContextSwitchTo(context);
	List		 *copy = copyObject((List *) predicate);
	ExprState	 *state = NULL;

	if (!foreign_code_in((Node *) copy))
		state = ExecInitQual((List *) expression_planner((Expr *) copy), NULL);
	MemoryContextSwitchTo(caller);
	if (entry->context)
		MemoryContextDelete(entry->context);
	MemoryContextSetParent(context, CacheMemoryContext);
	entry->context = context;
	entry->predicate = copy;
	entry->state = state;
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
		if (!entry->cached.valid)
		{
			entry->cached.valid = true;
			if (entry->context == NULL ||
				!equal(entry->predicate, index->ii_Predicate))
			{
				entry->state = NULL; /* in case of an error */
				prepare(entry, index->ii_Predicate);
			}
		}
		index->ii_PredicateState = entry->state;
	}
}
