/*
 * read_snapshot.c — which snapshot a read uses
 */
#include "postgres.h"

#include "access/xact.h"
#include "utils/snapmgr.h"

#include "base/read_snapshot.h"

/* Does what SPI does before it executes a statement. */
void
read_snapshot_push(ReadSnapshot snapshot)
{
	if (snapshot == READ_CALLER)
	{
		PushActiveSnapshot(GetActiveSnapshot());
		return;
	}
	CommandCounterIncrement();
	PushActiveSnapshot(snapshot == READ_LATEST && IsolationUsesXactSnapshot() ?
						   GetLatestSnapshot() :
						   GetTransactionSnapshot());
}
