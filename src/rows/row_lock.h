/*
 * row_lock.h — locks a row as SELECT FOR NO KEY UPDATE does
 */
#ifndef ORDCANCEL_ROW_LOCK_H
#define ORDCANCEL_ROW_LOCK_H

#include "executor/tuptable.h"
#include "utils/relcache.h"

typedef enum RowLock
{
	ROW_LOCKED,		  /* the version in the slot */
	ROW_LOCKED_LATER, /* a later version, which the slot has now */
	ROW_BUSY,		  /* skip_locked: another transaction has locked it */
	ROW_GONE,		  /* deleted, or changed by the statement that called us */
} RowLock;

/*
 * Locks the row whose version is in the slot, and stores its latest version
 * there.  The snapshot that found it is the active one.  Raises 40001 if the
 * row is newer than the transaction's snapshot.
 */
extern RowLock row_lock(Relation rel, TupleTableSlot *slot, bool skip_locked);

#endif /* ORDCANCEL_ROW_LOCK_H */
