/*
 * shard_ids.c — ids of records in shards that were moved
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_sequence.h"
#include "executor/spi.h"
#include "storage/lmgr.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/read_snapshot.h"
#include "config/config_table.h"
#include "config/node_ids.h"
#include "config/run_as.h"
#include "rows/record.h"
#include "rows/record_open.h"
#include "rows/shard_ids.h"

/* What nextval() would build on. */
static int64
last_id(Oid sequence, int64 start)
{
	int64 last = node_last_id(sequence);

	return last == 0 ? start : last;
}

static void
follow(const char *name, int64 highest)
{
	Oid		  sequence = config_relation(name);
	HeapTuple tuple = SearchSysCache1(SEQRELID, ObjectIdGetDatum(sequence));
	Form_pg_sequence form;
	int64			 start;
	int64			 step;
	int64			 last;

	if (!HeapTupleIsValid(tuple))
		config_raise_dropped();
	form = (Form_pg_sequence) GETSTRUCT(tuple);
	start = form->seqstart;
	step = form->seqincrement;
	ReleaseSysCache(tuple);
	if (last_id(sequence, start) >= highest)
		return;
	LockRelationOid(sequence,
					ShareRowExclusiveLock); /* as node_raise_last_id */
	last = last_id(sequence, start);
	if (last < highest)
		node_set_last_id(sequence, highest - (highest - last) % step);
	UnlockRelationOid(sequence, ShareRowExclusiveLock);
}

static int64
result_id(int column)
{
	bool  isnull;
	Datum value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								column, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

void
shard_ids_follow(OrderTable *table)
{
	RunAsScope scope;
	char	  *sql;

	if (table->shard.id == 0 || table->ids_followed)
		return;
	sql = psprintf(
		"SELECT (SELECT pg_catalog.max(cancellation_id) FROM ONLY %s),"
		" (SELECT pg_catalog.max(event_id) FROM ONLY %s)",
		record_table_label(table->cancellation_table),
		record_table_label(table->event_table));
	SPI_connect();
	run_as_extension_owner(&scope);
	PushActiveSnapshot(GetLatestSnapshot());
	if (SPI_execute(sql, true, 0) != SPI_OK_SELECT || SPI_processed != 1)
		elog(ERROR, "could not read the ids of shard %s", table->sql);
	follow("cancellation_id_seq", result_id(1));
	follow("event_id_seq", result_id(2));
	PopActiveSnapshot();
	run_as_end(&scope);
	SPI_finish();
	table->ids_followed = true;
}
