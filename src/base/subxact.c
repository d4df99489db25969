/*
 * subxact.c — running a step that may fail in a subtransaction
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "utils/memutils.h"
#include "utils/resowner.h"

#include "base/subxact.h"

/*
 * Was the query canceled from outside?  A trigger that raises query_canceled
 * itself is an error of the step like any other.
 */
static bool
is_interrupt(const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_QUERY_CANCELED && error->funcname &&
		strcmp(error->funcname, "ProcessInterrupts") == 0;
}

ErrorData *
subxact_try_any(SubxactStep step, void *arg)
{
	MemoryContext caller = CurrentMemoryContext;
	ResourceOwner owner = CurrentResourceOwner;
	ErrorData *volatile error = NULL;

	BeginInternalSubTransaction(NULL);
	MemoryContextSwitchTo(caller);
	PG_TRY();
	{
		/* SPI frees its results when the connection ends, here after a step. */
		SPI_connect();
		MemoryContextSwitchTo(caller);
		step(arg);
		SPI_finish();
		ReleaseCurrentSubTransaction();
	}
	PG_CATCH();
	{
		MemoryContextSwitchTo(caller);
		error = CopyErrorData();
		FlushErrorState();
		RollbackAndReleaseCurrentSubTransaction();
	}
	PG_END_TRY();
	MemoryContextSwitchTo(caller);
	CurrentResourceOwner = owner;
	return error;
}

ErrorData *
subxact_try(SubxactStep step, void *arg)
{
	ErrorData *error = subxact_try_any(step, arg);

	if (error && is_interrupt(error))
		ReThrowError(error);
	return error;
}
