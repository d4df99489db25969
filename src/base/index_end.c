/*
 * index_end.c — looks at the last entry of a B-tree index, without a scan
 *
 * An index that never had an entry consists of a metapage that names no root;
 * else the last entry is in the leaf page that has no right sibling.  While the
 * page is locked, this is as certain as for a scan: to get a right sibling, or
 * a root, a page is locked exclusively.
 *
 * A remembered page is of the index's current file.  Whoever gives the index
 * another file locks it exclusively, and sends the invalidation of its relcache
 * entry before releasing that lock.
 */
#include "postgres.h"

#include "access/nbtree.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_index.h"
#include "catalog/pg_type.h"
#include "storage/bufmgr.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/index_end.h"
#include "base/relid_cache.h"

/* The last page of an index, when it was last read. */
typedef struct PageEntry
{
	RelidCacheEntry cached;
	bool			ascending_bigint;
	FileName		file;
	BlockNumber		block;
	Buffer			buffer; /* InvalidBuffer: not known */
} PageEntry;

static RelidCache cache;

void
index_end_init(void)
{
	relid_cache_init(&cache, "ordcancel index pages", sizeof(PageEntry));
}

/* The data of an entry begin with its first column if no column is null. */
static IndexEnd
read_entry(IndexTuple entry, int64 *last)
{
	if (IndexTupleHasNulls(entry))
		return INDEX_END_UNKNOWN;
	memcpy(last, (char *) entry + IndexInfoFindDataOffset(entry->t_info),
		   sizeof(int64));
	return INDEX_END_FOUND;
}

/*
 * VACUUM may have removed all entries of the last page, but not those before
 * it.
 */
static IndexEnd
read_leaf(const PageEntry *p, Page page, int64 *last)
{
	BTPageOpaque opaque = BTPageGetOpaque(page);
	OffsetNumber offset = PageGetMaxOffsetNumber(page);

	if (!P_ISLEAF(opaque) || !P_RIGHTMOST(opaque) || P_IGNORE(opaque))
		return INDEX_END_UNKNOWN;
	if (offset < P_FIRSTDATAKEY(opaque))
		return P_LEFTMOST(opaque) ? INDEX_END_NONE : INDEX_END_UNKNOWN;
	if (last == NULL)
		return INDEX_END_FOUND;
	if (!p->ascending_bigint)
		return INDEX_END_UNKNOWN;
	return read_entry((IndexTuple) PageGetItem(page,
											   PageGetItemId(page, offset)),
					  last);
}

static bool
has_no_root(Page page)
{
	BTMetaPageData *meta = BTPageGetMeta(page);

	return meta->btm_magic == BTREE_MAGIC && meta->btm_root == P_NONE;
}

/* Releases the page, on which there is a lock. */
static IndexEnd
read_page(const PageEntry *p, int64 *last)
{
	Page	 page = BufferGetPage(p->buffer);
	IndexEnd end = INDEX_END_UNKNOWN;

	if (p->block != BTREE_METAPAGE)
		end = read_leaf(p, page, last);
	else if (has_no_root(page))
		end = INDEX_END_NONE;
	UnlockReleaseBuffer(p->buffer);
	return end;
}

static bool
lock_remembered_page(const PageEntry *p)
{
	if (!p->cached.valid || !BufferIsValid(p->buffer) ||
		!ReadRecentBuffer(p->file, MAIN_FORKNUM, p->block, p->buffer))
		return false;
	LockBuffer(p->buffer, BUFFER_LOCK_SHARE);
	return true;
}

static void
lock_last_page(PageEntry *p, Relation index)
{
	Buffer buffer = last_leaf_page(index);

	if (!BufferIsValid(buffer))
	{
		buffer = ReadBuffer(index, BTREE_METAPAGE);
		LockBuffer(buffer, BUFFER_LOCK_SHARE);
	}
	p->file = file_name(index);
	p->block = BufferGetBlockNumber(buffer);
	p->buffer = buffer;
	p->ascending_bigint = TupleDescAttr(RelationGetDescr(index), 0)
							  ->atttypid == INT8OID &&
		(index->rd_indoption[0] & INDOPTION_DESC) == 0;
}

static IndexEnd
find_page(PageEntry *p, int64 *last)
{
	Relation index = index_open(p->cached.relid, NoLock);
	IndexEnd end = INDEX_END_UNKNOWN;

	p->buffer = InvalidBuffer;
	p->cached.valid = true;
	if (index->rd_rel->relam == BTREE_AM_OID)
	{
		lock_last_page(p, index);
		end = read_page(p, last);
	}
	index_close(index, NoLock);
	return end;
}

/* A scan may have to take predicate locks, or to find its snapshot too old. */
IndexEnd
index_end(Oid index, int64 *last)
{
	PageEntry *p = relid_cache_enter(&cache, index);
	IndexEnd   end = INDEX_END_UNKNOWN;

	if (IsolationIsSerializable() || snapshots_expire())
		return INDEX_END_UNKNOWN;
	if (lock_remembered_page(p))
		end = read_page(p, last);
	return end == INDEX_END_UNKNOWN ? find_page(p, last) : end;
}
