/*
 * index_end.h — looks at the last entry of a B-tree index, without a scan
 *
 * To begin and end a scan that finds nothing costs many times as much.  So does
 * opening an index that this session has not used lately; so the last page is
 * remembered with the buffer that it was in, where it is mostly found again.
 *
 * Each row that the active snapshot sees has its entry at or before the last
 * one: it was inserted before the row's transaction committed, thus before the
 * snapshot was taken, and it is not removed while a snapshot sees the row.
 */
#ifndef ORDCANCEL_INDEX_END_H
#define ORDCANCEL_INDEX_END_H

typedef enum IndexEnd
{
	INDEX_END_NONE,	   /* the index has no entries */
	INDEX_END_FOUND,   /* it has entries, and the last one was read */
	INDEX_END_UNKNOWN, /* it has to be searched */
} IndexEnd;

/* Called once, when the library is loaded. */
extern void index_end_init(void);

/*
 * Reads the first column of the last entry, if "last" is not NULL;
 * INDEX_END_UNKNOWN if it is not an ascending bigint.  The caller has locked the
 * index, and knows by the invalidations that it exists.
 */
extern IndexEnd index_end(Oid index, int64 *last);

#endif /* ORDCANCEL_INDEX_END_H */
