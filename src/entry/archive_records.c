/*
 * archive_records.c — moves old records to archives, and drops archives
 *
 * Which records, and to which tables, is decided in SQL (54-archive.sql).
 */
#include "postgres.h"

#include "access/table.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lock.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"

#include "entry/archive_records.h"
#include "entry/args.h"
#include "rows/record.h"
#include "rows/record_delete.h"

PG_FUNCTION_INFO_V1(ordcancel_lock_archives);
PG_FUNCTION_INFO_V1(ordcancel_delete_archived);
PG_FUNCTION_INFO_V1(ordcancel_drop_archive_table);

/* The archive that drop_archive() is dropping. */
static Oid being_dropped = InvalidOid;

bool
archive_drop_is_ours(Oid relid)
{
	return OidIsValid(being_dropped) && relid == being_dropped;
}

/*
 * (orders): waits for the calls that use records of canceled orders, and keeps
 * others waiting until the transaction ends.  See archive_lock().
 */
Datum
ordcancel_lock_archives(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	LOCKTAG		tag;

	SET_LOCKTAG_OBJECT(tag, MyDatabaseId, table->cancellation_table, 0, 1);
	(void) LockAcquire(&tag, ExclusiveLock, false, false);
	AcceptInvalidationMessages();
	PG_RETURN_VOID();
}

/* "r.x = a.x AND r.y = a.y" for an array of column names */
static char *
same_key(ArrayType *columns)
{
	Datum		  *names;
	int			   count;
	StringInfoData sql;

	deconstruct_array(columns, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, NULL, &count);
	initStringInfo(&sql);
	for (int i = 0; i < count; i++)
	{
		const char *name = quote_identifier(NameStr(*DatumGetName(names[i])));

		appendStringInfo(&sql, "%sr.%s OPERATOR(pg_catalog.=) a.%s",
						 i > 0 ? " AND " : "", name, name);
	}
	return sql.data;
}

/*
 * (records, archive, primary_key): deletes from a record table what an archive
 * has; returns the number of rows.
 */
Datum
ordcancel_delete_archived(PG_FUNCTION_ARGS)
{
	Oid	   records = PG_GETARG_OID(0);
	char  *statement = psprintf("DELETE FROM ONLY %s AS r USING ONLY %s AS a"
								" WHERE %s",
								record_table_label(records),
								record_table_label(PG_GETARG_OID(1)),
								same_key(PG_GETARG_ARRAYTYPE_P(2)));
	uint64 deleted;

	SPI_connect();
	deleted = record_delete(records, statement, 0, NULL, NULL);
	SPI_finish();
	PG_RETURN_INT64((int64) deleted);
}

/* (archive): the event trigger lets nobody else drop it but superusers. */
Datum
ordcancel_drop_archive_table(PG_FUNCTION_ARGS)
{
	Oid	  archive = PG_GETARG_OID(0);
	char *statement = psprintf("DROP TABLE %s", record_table_label(archive));
	int	  result = 0;

	SPI_connect();
	PG_TRY();
	{
		being_dropped = archive;
		result = SPI_execute(statement, false, 0);
	}
	PG_FINALLY();
	{
		being_dropped = InvalidOid;
	}
	PG_END_TRY();
	SPI_finish();
	if (result != SPI_OK_UTILITY)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	PG_RETURN_VOID();
}
