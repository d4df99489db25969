/*
 * archive.h — the records that archive_records() has moved
 *
 * Each record table can have archives, one for each month, which inherit from
 * it.  What finds the cancellation of an order reads the record table ONLY, and
 * looks into the archives if that has no cancellation in effect of an order that
 * is canceled.  They are read where they are; what would change a record moves all
 * records of the order back first.
 *
 * The caller is connected to SPI, as for record.h.
 */
#ifndef ORDCANCEL_ARCHIVE_H
#define ORDCANCEL_ARCHIVE_H

#include "nodes/pg_list.h"
#include "storage/lockdefs.h"

#include "rows/record.h"

/* The archives of a record table, the newest first. */
extern List *archive_tables(Oid records);

/*
 * Can the cancellation in effect of this order be in an archive?  Only those of
 * orders that are canceled, or have a closed status, are moved there.  Policies may
 * have changed since, so the statuses that orders had then count as well.
 */
extern bool archive_may_have(const CancelTarget *c);

/*
 * In share mode, keeps archive_records() from moving records of the table until
 * the transaction ends; it takes the lock in exclusive mode.
 */
extern void archive_lock(Oid cancellation_table, LOCKMODE mode);

/* Moves all records of the order from the archives back. */
extern void archive_return(const CancelTarget *c);

/*
 * Finds the cancellations in effect of the orders that may have one in an archive
 * and have none in the record table.
 */
extern void archive_find(CancelTarget *targets, int count,
						 ReadSnapshot snapshot);

/* As record_reread, in the archives. */
extern void archive_find_id(CancelTarget *c, int64 id);

/* As record_find_request_key, in the archives. */
extern bool archive_find_request_key(const OrderTable *table, const char *key,
									 RecordedCall *past);

#endif /* ORDCANCEL_ARCHIVE_H */
