/*
 * record_search.c — what else is asked of the records: past calls, deadlines
 * and refunds
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"

#include "record.h"
#include "statement.h"

static void
find_request_key_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT e.order_key::pg_catalog.text, e.source::pg_catalog.text,"
		" e.state::pg_catalog.text, e.to_status::pg_catalog.text,"
		" e.at::pg_catalog.timestamptz, e.cancellation_id::pg_catalog.int8"
		" FROM ONLY %s AS e WHERE e.request_key OPERATOR(pg_catalog.=) $1",
		record_table_label(table->event_table));
}

bool
record_find_request_key(OrderTable *table, const char *key, PastCall *past)
{
	Parameters p = {0};
	bool	   isnull;

	parameter_text(&p, key);
	if (statement_run(table, STATEMENT_FIND_REQUEST_KEY, find_request_key_text,
					  &p, SIGHT_LATEST) == 0)
		return false;
	past->order_key = result_text(1);
	past->source = result_text(2);
	state_from_name(result_text(3), &past->state);
	past->order_status = result_text(4);
	past->at = result_time(5);
	past->cancellation_id = DatumGetInt64(SPI_getbinval(SPI_tuptable->vals[0],
														SPI_tuptable->tupdesc,
														6, &isnull));
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static void
find_overdue_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql,
					 "SELECT c.order_key::pg_catalog.text FROM ONLY %s AS c"
					 " WHERE c.state OPERATOR(pg_catalog.=) 'requested'"
					 " AND c.deadline OPERATOR(pg_catalog.<=) $1"
					 " AND c.order_key IS NOT NULL"
					 " ORDER BY c.deadline",
					 record_table_label(table->cancellation_table));
}

List *
record_overdue(OrderTable *table, TimestampTz now)
{
	Parameters p = {0};
	List	  *keys = NIL;
	uint64	   rows;

	parameter_time(&p, &now);
	rows = statement_run(table, STATEMENT_FIND_OVERDUE, find_overdue_text, &p,
						 SIGHT_NOW);
	for (uint64 i = 0; i < rows; i++)
		keys = lappend(keys,
					   SPI_getvalue(SPI_tuptable->vals[i],
									SPI_tuptable->tupdesc, 1));
	SPI_freetuptable(SPI_tuptable);
	return keys;
}

static void
unsettled_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT FROM ONLY %s AS e"
		" JOIN ordcancel.refund_method AS m"
		" ON m.code OPERATOR(pg_catalog.=) (e.data OPERATOR(pg_catalog.->>) 'method')"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) $1"
		" AND e.type OPERATOR(pg_catalog.=) 'refunded'"
		" AND m.on_undo OPERATOR(pg_catalog.<>) 'nothing'",
		record_table_label(table->event_table));
}

bool
record_unsettled(OrderTable *table, int64 cancellation_id)
{
	Parameters p = {0};

	parameter_value(&p, INT8OID, Int64GetDatum(cancellation_id), false);
	return statement_run(table, STATEMENT_UNSETTLED, unsettled_text, &p,
						 SIGHT_NOW) > 0;
}
