/*
 * prune_cancellations.c — deletes old cancellations
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/memutils.h"
#include "utils/timestamp.h"

#include "config/run_as.h"
#include "entry/args.h"
#include "entry/setup_gate.h"
#include "rows/ended_records.h"
#include "rows/record.h"
#include "rows/record_delete.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_prune_cancellations);
PG_FUNCTION_INFO_V1(ordcancel_delete_cancellations);

/* (orders, older_than) */
Datum
ordcancel_prune_cancellations(PG_FUNCTION_ARGS)
{
	(void) args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	return setup_gate_call(fcinfo);
}

/* The columns of the result of delete_cancellations. */
enum
{
	COUNT_DELETED,
	COUNT_IN_EFFECT,
	COUNT_COUNTED,
	COUNT_UNREAD,
	COUNTS, /* their number */
};

/* What becomes of a cancellation: the column in which it is counted. */
static int
judge(const EndedRecord *r)
{
	if (r->exists && r->canceled)
		return COUNT_IN_EFFECT;
	if (r->due || (r->exists && r->counts))
		return COUNT_COUNTED;
	return r->unread ? COUNT_UNREAD : COUNT_DELETED;
}

static void
delete_from(Oid relid, Datum ids)
{
	Oid type = INT8ARRAYOID;

	if (OidIsValid(relid))
		(void) record_delete(
			relid,
			psprintf(
				"DELETE FROM ONLY %s AS r"
				" WHERE r.cancellation_id OPERATOR(pg_catalog.=) ANY ($1)",
				record_table_label(relid)),
			1, &type, &ids);
}

static void
delete_chunk(EndedReader *reader, int64 *counts)
{
	const OrderTable *table = reader->table;
	MemoryContext	  caller = CurrentMemoryContext;
	Datum			 *ids = palloc(reader->count * sizeof(Datum));
	int				  n = 0;
	Datum			  array;
	RunAsScope		  scope;

	for (int i = 0; i < reader->count; i++)
	{
		int column = judge(&reader->records[i]);

		counts[column]++;
		if (column == COUNT_DELETED)
			ids[n++] = Int64GetDatum(reader->records[i].id);
	}
	if (n == 0)
		return;
	array = PointerGetDatum(construct_array(ids, n, INT8OID, sizeof(int64),
											FLOAT8PASSBYVAL, TYPALIGN_DOUBLE));
	run_as_extension_owner(&scope);
	delete_from(table->cancellation_table, array);
	delete_from(table->item_records, array);
	delete_from(table->event_table, array);

	/* A concurrent forget(), for which we waited, may have added one. */
	delete_from(table->event_table, array);
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
}

/*
 * delete_cancellations(orders, before, settled): deletes the cancellations that
 * closed before a time and are not needed any more, with all that belongs to
 * them.
 */
Datum
ordcancel_delete_cancellations(PG_FUNCTION_ARGS)
{
	OrderTable	 *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	int64		  counts[COUNTS] = {0};
	Datum		  values[COUNTS];
	bool		  nulls[COUNTS] = {false};
	EndedReader	  reader;
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext context = AllocSetContextCreate(
		caller, "ordcancel old cancellations", ALLOCSET_DEFAULT_SIZES);
	TupleDesc desc;

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "function must return a row");
	SPI_connect();
	MemoryContextSwitchTo(context);
	ended_records_begin(&reader, table, PG_GETARG_TIMESTAMPTZ(1),
						PG_GETARG_INT64(2));
	while (ended_records_next(&reader))
	{
		delete_chunk(&reader, counts);
		MemoryContextReset(context);
	}
	ended_records_end(&reader);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(context);
	for (int i = 0; i < COUNTS; i++)
		values[i] = Int64GetDatum(counts[i]);
	return HeapTupleGetDatum(
		heap_form_tuple(BlessTupleDesc(desc), values, nulls));
}
