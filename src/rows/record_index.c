/*
 * record_index.c — the indexes that the record tables are searched by
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/stratnum.h"
#include "catalog/pg_am.h"
#include "catalog/pg_opfamily.h"
#include "catalog/pg_type.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/index_form.h"
#include "base/relid_cache.h"
#include "rows/record.h"
#include "rows/record_index.h"
#include "rows/record_open.h"

#define RECORD_INDEXES (RECORD_INDEX_REQUEST_KEY + 1)

/* The indexes of one table, for the OrderTable of that serial. */
typedef struct IndexEntry
{
	RelidCacheEntry cached;
	uint64			serial;
	Oid				indexes[RECORD_INDEXES]; /* InvalidOid: not looked up */
} IndexEntry;

static RelidCache cache;

void
record_index_init(void)
{
	relid_cache_init(&cache, "ordcancel record indexes", sizeof(IndexEntry));
}

/*
 * Is this an index as attach() creates it?  It must be a valid btree index on
 * exactly these columns, either partial and unique, or not partial.  If the
 * columns are the key columns (table->record_keys), their equality operators
 * and collations must be those of the order's key.
 */
static bool
is_usable_index(const OrderTable *table, Relation rel, Oid indexid,
				char *const *columns, int ncolumns, bool partial)
{
	Relation index = index_open(indexid, AccessShareLock);
	bool	 usable = index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indisvalid &&
		IndexRelationGetNumberOfKeyAttributes(index) == ncolumns &&
		!index_has_expressions(index) && index_is_partial(index) == partial &&
		(!partial || index->rd_index->indisunique);

	for (int i = 0; i < ncolumns && usable; i++)
	{
		int attnum = index->rd_index->indkey.values[i];

		usable = index->rd_indoption[i] == 0 &&
			strcmp(NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)
							   ->attname),
				   columns[i]) == 0;
		if (usable && columns == table->record_keys)
			usable = index->rd_indcollation[i] == table->keys[i].collation &&
				get_opfamily_member(index->rd_opfamily[i],
									index->rd_opcintype[i],
									index->rd_opcintype[i],
									BTEqualStrategyNumber) ==
					table->keys[i].equal;
	}
	index_close(index, NoLock);
	return usable;
}

static Oid
find_index(const OrderTable *table, Relation rel, char *const *columns,
		   int ncolumns, bool partial)
{
	List	 *indexes = RelationGetIndexList(rel);
	Oid		  found = InvalidOid;
	ListCell *lc;

	foreach(lc, indexes)
		if (is_usable_index(table, rel, lfirst_oid(lc), columns, ncolumns,
							partial))
			found = lfirst_oid(lc);
	list_free(indexes);
	if (!OidIsValid(found))
		record_raise_missing(psprintf(
			"Table \"%s\" lacks an index that ordcancel.attach() creates.",
			RelationGetRelationName(rel)));
	return found;
}

/*
 * Does it begin with these columns, which are numbers and then texts, in
 * ascending order?
 */
static bool
begins_with(Relation rel, Relation index, const char *const *columns,
			int ncolumns)
{
	bool begins = index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indisvalid &&
		IndexRelationGetNumberOfKeyAttributes(index) >= ncolumns &&
		!index_is_partial(index);

	for (int i = 0; i < ncolumns && begins; i++)
	{
		int attnum = index->rd_index->indkey.values[i];
		Oid type = i == 0 ? INT8OID : TEXTOID;

		begins = attnum > 0 && index->rd_indoption[i] == 0 &&
			index->rd_opfamily[i] ==
				(i == 0 ? INTEGER_BTREE_FAM_OID : TEXT_BTREE_FAM_OID) &&
			TupleDescAttr(RelationGetDescr(rel), attnum - 1)->atttypid ==
				type &&
			strcmp(NameStr(TupleDescAttr(RelationGetDescr(rel), attnum - 1)
							   ->attname),
				   columns[i]) == 0;
	}
	return begins;
}

Oid
record_index_by_number(Relation rel, const char *const *columns, int ncolumns)
{
	List	 *indexes = RelationGetIndexList(rel);
	Oid		  found = InvalidOid;
	ListCell *lc;

	foreach(lc, indexes)
	{
		Relation index = index_open(lfirst_oid(lc), AccessShareLock);

		if (begins_with(rel, index, columns, ncolumns))
			found = lfirst_oid(lc);
		index_close(index, AccessShareLock);
	}
	list_free(indexes);
	if (!OidIsValid(found))
		record_raise_missing(psprintf("Table \"%s\" lacks an index on \"%s\".",
									  RelationGetRelationName(rel),
									  columns[0]));
	return found;
}

/* The index on the key columns, followed by the cancellation ID. */
static Oid
find_newest(const OrderTable *table, Relation rel)
{
	char *columns[INDEX_MAX_KEYS + 1];

	memcpy(columns, table->record_keys, table->nkeys * sizeof(char *));
	columns[table->nkeys] = "cancellation_id";
	return find_index(table, rel, columns, table->nkeys + 1, false);
}

static Oid
find_id(const OrderTable *table, Relation rel)
{
	char *column = "cancellation_id";

	return find_index(table, rel, &column, 1, false);
}

static Oid
find_request_key(const OrderTable *table, Relation rel)
{
	char *column = "request_key";

	return find_index(table, rel, &column, 1, true);
}

static Oid
find_for(const OrderTable *table, Relation rel, RecordIndex which)
{
	switch (which)
	{
		case RECORD_INDEX_NEWEST:
			return find_newest(table, rel);
		case RECORD_INDEX_LIVE:
			return find_index(table, rel, table->record_keys, table->nkeys,
							  true);
		case RECORD_INDEX_ID:
			return find_id(table, rel);
		case RECORD_INDEX_REQUEST_KEY:
			return find_request_key(table, rel);
	}
	pg_unreachable();
}

Oid
record_index(const OrderTable *table, Relation rel, RecordIndex which)
{
	IndexEntry *entry = relid_cache_enter(&cache, RelationGetRelid(rel));

	if (!entry->cached.valid || entry->serial != table->serial)
	{
		memset(entry->indexes, 0, sizeof(entry->indexes));
		entry->serial = table->serial;
		entry->cached.valid = true;
	}
	if (!OidIsValid(entry->indexes[which]))
		entry->indexes[which] = find_for(table, rel, which);
	return entry->indexes[which];
}
