/*
 * record_index.h — the indexes that the record tables are searched by
 */
#ifndef ORDCANCEL_RECORD_INDEX_H
#define ORDCANCEL_RECORD_INDEX_H

#include "utils/relcache.h"

#include "config/order_table.h"

typedef enum RecordIndex
{
	RECORD_INDEX_NEWEST,	  /* order key, then cancellation ID */
	RECORD_INDEX_LIVE,		  /* order key, of live cancellations only */
	RECORD_INDEX_ID,		  /* cancellation ID */
	RECORD_INDEX_REQUEST_KEY, /* of an archive of events: request_key */
} RecordIndex;

/* Called once, when the library is loaded. */
extern void record_index_init(void);

/*
 * The OID of an index of the open cancellation table.  It is kept until the
 * table's relcache entry is invalidated, as REINDEX CONCURRENTLY does.  Raises
 * OC014 if there is none.
 */
extern Oid record_index(const OrderTable *table, Relation rel,
						RecordIndex which);

/*
 * The OID of an index that begins with these columns of a record table of any
 * kind, in ascending order: a number, and texts after it.  Raises OC014 if there
 * is none.
 */
extern Oid record_index_by_number(Relation rel, const char *const *columns,
								  int ncolumns);

#endif /* ORDCANCEL_RECORD_INDEX_H */
