/*
 * record_delete.c — deletes rows of record tables
 */
#include "postgres.h"

#include "executor/spi.h"

#include "rows/record_delete.h"

/* The record table whose rows ordcancel is deleting. */
static Oid deleting = InvalidOid;

bool
record_delete_is_ours(Oid relid)
{
	return OidIsValid(deleting) && relid == deleting;
}

uint64
record_delete(Oid relid, const char *statement, int nargs, Oid *types,
			  Datum *values)
{
	int result = 0;

	PG_TRY();
	{
		deleting = relid;
		result = SPI_execute_with_args(statement, nargs, types, values, NULL,
									   false, 0);
	}
	PG_FINALLY();
	{
		deleting = InvalidOid;
	}
	PG_END_TRY();
	if (result != SPI_OK_DELETE)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}
