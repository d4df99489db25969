/*
 * forget_relation.c — dropping relations from PostgreSQL's cache
 */
#include "postgres.h"

#include "nodes/pg_list.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/syscache.h"

#include "base/forget_relation.h"

/* Rows of the catalogs are cached apart from the relation. */
static void
forget_rows(Oid relid)
{
	SysCacheInvalidate(RELOID,
					   GetSysCacheHashValue1(RELOID, ObjectIdGetDatum(relid)));
	SysCacheInvalidate(INDEXRELID,
					   GetSysCacheHashValue1(INDEXRELID,
											 ObjectIdGetDatum(relid)));
}

void
forget_relation(Oid relid)
{
	Relation  rel = RelationIdGetRelation(relid);
	List	 *indexes;
	ListCell *lc;

	if (!RelationIsValid(rel))
		return; /* it was dropped */
	indexes = RelationGetIndexList(rel);
	RelationClose(rel);
	foreach(lc, indexes)
	{
		RelationCacheInvalidateEntry(lfirst_oid(lc));
		forget_rows(lfirst_oid(lc));
	}
	list_free(indexes);
	RelationCacheInvalidateEntry(relid);
	forget_rows(relid);
}
