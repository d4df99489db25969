/*
 * row_lock.c — locks a row as SELECT FOR NO KEY UPDATE does
 */
#include "postgres.h"

#include "access/tableam.h"
#include "access/xact.h"
#include "utils/snapmgr.h"

#include "rows/row_lock.h"

static void
raise_if_snapshot_is_fixed(void)
{
	if (IsolationUsesXactSnapshot())
		ereport(ERROR,
				(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
				 errmsg(
					 "could not serialize access due to concurrent update")));
}

RowLock
row_lock(Relation rel, TupleTableSlot *slot, bool skip_locked)
{
	TM_FailureData failure;
	uint8		   flags = TUPLE_LOCK_FLAG_LOCK_UPDATE_IN_PROGRESS;
	TM_Result	   result;

	if (!IsolationUsesXactSnapshot())
		flags |= TUPLE_LOCK_FLAG_FIND_LAST_VERSION;
	result = table_tuple_lock(rel, &slot->tts_tid, GetActiveSnapshot(), slot,
							  GetCurrentCommandId(false),
							  LockTupleNoKeyExclusive,
							  skip_locked ? LockWaitSkip : LockWaitBlock,
							  flags, &failure);
	switch (result)
	{
		case TM_Ok:
			return failure.traversed ? ROW_LOCKED_LATER : ROW_LOCKED;
		case TM_WouldBlock:
			return ROW_BUSY;
		case TM_Updated:
		case TM_Deleted:
			raise_if_snapshot_is_fixed();
			return ROW_GONE;
		default: /* TM_SelfModified */
			return ROW_GONE;
	}
}
