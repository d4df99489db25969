/*
 * archive_records.c — moves old records to archives, and drops archives
 *
 * Which records, and to which tables, is decided in SQL (54-archive-conditions.sql).
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "lib/stringinfo.h"
#include "storage/lmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"

#include "config/run_as.h"
#include "entry/archive_records.h"
#include "entry/args.h"
#include "entry/setup_gate.h"
#include "rows/archive.h"
#include "rows/order_row.h"
#include "rows/record.h"
#include "rows/record_delete.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_archive_records);
PG_FUNCTION_INFO_V1(ordcancel_drop_archive);
PG_FUNCTION_INFO_V1(ordcancel_lock_archives);
PG_FUNCTION_INFO_V1(ordcancel_deleted_by_row);
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
 * Waits for the calls that use records of canceled orders, and keeps others
 * waiting until the transaction ends.  Only then is the order table locked:
 * attach() keeps records in their place, and then waits for the order table.
 */
static void
begin_moving(bool isnull, Oid orders)
{
	Oid locked = InvalidOid;

	for (;;)
	{
		Oid records = args_table(isnull, orders, AccessShareLock)
						  ->cancellation_table;

		if (records == locked)
			return;
		UnlockRelationOid(orders, AccessShareLock);
		archive_lock(records, ExclusiveLock);
		locked = records;
	}
}

/* (orders, older_than) */
Datum
ordcancel_archive_records(PG_FUNCTION_ARGS)
{
	begin_moving(PG_ARGISNULL(0), PG_GETARG_OID(0));
	return setup_gate_call(fcinfo);
}

/* (orders, month): the inner function locks the order table with the archives. */
Datum
ordcancel_drop_archive(PG_FUNCTION_ARGS)
{
	(void) args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	UnlockRelationOid(PG_GETARG_OID(0), AccessShareLock);
	return setup_gate_call(fcinfo);
}

/* (cancellation_table): only what moves records waits. */
Datum
ordcancel_lock_archives(PG_FUNCTION_ARGS)
{
	archive_lock(PG_GETARG_OID(0), ShareLock);
	PG_RETURN_VOID();
}

/* (orders) */
Datum
ordcancel_deleted_by_row(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	RunAsScope	scope;
	bool		by_row;

	run_as_owner_spi(&scope, table);
	by_row = order_deleted_by_row(table);
	run_as_end_spi(&scope);
	PG_RETURN_BOOL(by_row);
}

/* Column names of an array, quoted, as a list of strings. */
static List *
column_names(ArrayType *columns)
{
	Datum *names;
	int	   count;
	List  *list = NIL;

	deconstruct_array(columns, NAMEOID, NAMEDATALEN, false, TYPALIGN_CHAR,
					  &names, NULL, &count);
	for (int i = 0; i < count; i++)
		list = lappend(list,
					   (char *) quote_identifier(
						   NameStr(*DatumGetName(names[i]))));
	return list;
}

/* SELECT a.x, a.y FROM ONLY archive AS a UNION ALL ... */
static void
append_keys(StringInfo sql, ArrayType *archives, List *columns)
{
	Datum	 *oids;
	int		  count;
	ListCell *lc;

	deconstruct_array(archives, REGCLASSOID, sizeof(Oid), true, TYPALIGN_INT,
					  &oids, NULL, &count);
	for (int i = 0; i < count; i++)
	{
		appendStringInfoString(sql, i > 0 ? " UNION ALL SELECT" : "SELECT");
		foreach(lc, columns)
		{
			appendStringInfo(sql, "%s a.%s",
							 lc == list_head(columns) ? "" : ",",
							 (char *) lfirst(lc));
		}
		appendStringInfo(sql, " FROM ONLY %s AS a",
						 record_table_label(DatumGetObjectId(oids[i])));
	}
}

/*
 * (records, archives, primary_key): deletes from a record table what some of its
 * archives have; returns the number of rows.
 */
Datum
ordcancel_delete_archived(PG_FUNCTION_ARGS)
{
	Oid			   records = PG_GETARG_OID(0);
	ArrayType	  *archives = PG_GETARG_ARRAYTYPE_P(1);
	List		  *columns = column_names(PG_GETARG_ARRAYTYPE_P(2));
	uint64		   deleted;
	StringInfoData sql;
	ListCell	  *lc;

	if (ArrayGetNItems(ARR_NDIM(archives), ARR_DIMS(archives)) == 0)
		PG_RETURN_INT64(0);
	initStringInfo(&sql);
	appendStringInfo(&sql, "DELETE FROM ONLY %s AS r USING (",
					 record_table_label(records));
	append_keys(&sql, archives, columns);
	appendStringInfoString(&sql, ") AS k");
	foreach(lc, columns)
	{
		appendStringInfo(&sql, " %s r.%s OPERATOR(pg_catalog.=) k.%s",
						 lc == list_head(columns) ? "WHERE" : "AND",
						 (char *) lfirst(lc), (char *) lfirst(lc));
	}
	SPI_connect();
	deleted = record_delete(records, sql.data, 0, NULL, NULL);
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
