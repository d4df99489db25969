/*
 * record_search.c — finds repeated calls, overdue requests and refunds in the
 * records
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/fmgrprotos.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/read_snapshot.h"
#include "base/result_row.h"
#include "base/text.h"
#include "config/run_as.h"
#include "rows/archive.h"
#include "rows/index_lookup.h"
#include "rows/order_key.h"
#include "rows/plan_cache.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"
#include "rows/record_open.h"
#include "rows/record_scan.h"

static void
find_request_key_sql(StringInfo sql, const OrderTable *table)
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
record_find_request_key(OrderTable *table, const char *key, RecordedCall *past)
{
	Parameters	  p = {0};
	NullableDatum at;

	parameter_text(&p, key);
	if (plan_cache_run(table, STATEMENT_FIND_REQUEST_KEY, find_request_key_sql,
					   &p, READ_LATEST) == 0)
		return archive_find_request_key(table, key, past);
	past->order_key = result_text(1);
	past->source = result_text(2);
	state_from_name(result_text(3), &past->state);
	past->order_status = result_text(4);
	at = result_column(5);
	past->at = nullable_time(at.value, at.isnull);
	past->cancellation_id = DatumGetInt64(result_column(6).value);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

typedef struct OverdueRequest
{
	TimestampTz deadline;
	char	   *order_key;
} OverdueRequest;

typedef struct OverdueSearch
{
	TimestampTz	  now;
	bool		  found;
	MemoryContext context; /* of the list */
	List		 *requests;
} OverdueSearch;

static bool
is_overdue(const Datum *values, const bool *nulls, TimestampTz now)
{
	return !nulls[CANCELLATION_ORDER_KEY] && !nulls[CANCELLATION_DEADLINE] &&
		DatumGetTimestampTz(values[CANCELLATION_DEADLINE]) <= now;
}

static bool
collect_overdue(const Datum *values, const bool *nulls, void *arg)
{
	OverdueSearch  *search = arg;
	OverdueRequest *request;
	MemoryContext	caller;

	if (!is_overdue(values, nulls, search->now))
		return true;
	caller = MemoryContextSwitchTo(search->context);
	request = palloc(sizeof(OverdueRequest));
	request->deadline = DatumGetTimestampTz(values[CANCELLATION_DEADLINE]);
	request->order_key = TextDatumGetCString(values[CANCELLATION_ORDER_KEY]);
	search->requests = lappend(search->requests, request);
	MemoryContextSwitchTo(caller);
	return true;
}

static int
compare_deadlines(const ListCell *a, const ListCell *b)
{
	const OverdueRequest *x = lfirst(a);
	const OverdueRequest *y = lfirst(b);

	return x->deadline < y->deadline ? -1 : x->deadline > y->deadline;
}

List *
record_find_overdue(const OrderTable *table, TimestampTz now)
{
	OverdueSearch search = {.now = now, .context = CurrentMemoryContext};
	ListCell	 *lc;

	if (!record_scan(table->cancellation_table, OPEN_REQUEST, READ_CURRENT,
					 collect_overdue, &search))
		record_scan_check(table->cancellation_table);
	list_sort(search.requests, compare_deadlines);
	foreach(lc, search.requests)
	{
		OverdueRequest *request = lfirst(lc);

		lfirst(lc) = request->order_key;
		pfree(request);
	}
	return search.requests;
}

static bool
stop_at_overdue(const Datum *values, const bool *nulls, void *arg)
{
	OverdueSearch *search = arg;

	search->found = is_overdue(values, nulls, search->now);
	return !search->found;
}

bool
record_may_be_overdue(Oid cancellation_table, TimestampTz now)
{
	OverdueSearch search = {.now = now};

	return !record_scan(cancellation_table, OPEN_REQUEST, READ_CALLER,
						stop_at_overdue, &search) ||
		search.found;
}

static void
append_unsettled(StringInfo sql, const char *events)
{
	appendStringInfo(
		sql,
		"SELECT FROM %s AS e"
		" JOIN ordcancel.refund_method AS m"
		" ON m.code OPERATOR(pg_catalog.=) (e.data OPERATOR(pg_catalog.->>) 'method')"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) $1"
		" AND e.type OPERATOR(pg_catalog.=) 'refunded'"
		" AND m.on_undo OPERATOR(pg_catalog.<>) 'nothing'"
		/* Refunds that were taken back do not count. */
		" GROUP BY m.code HAVING pg_catalog.sum((e.data OPERATOR(pg_catalog.->>) 'amount')"
		"::pg_catalog.numeric) OPERATOR(pg_catalog.>) 0",
		events);
}

static void
unsettled_sql(StringInfo sql, const OrderTable *table)
{
	append_unsettled(sql,
					 psprintf("ONLY %s",
							  record_table_label(table->event_table)));
}

/* Only cancel_options() asks this of a record in an archive. */
static bool
has_unsettled_in_archive(const CancelTarget *c)
{
	MemoryContext  caller = CurrentMemoryContext;
	Oid			   type = INT8OID;
	Datum		   id = Int64GetDatum(c->record.id);
	StringInfoData sql;
	RunAsScope	   scope;

	initStringInfo(&sql);
	append_unsettled(&sql, record_table_label(c->table->event_table));
	run_as_extension_owner(&scope);
	if (SPI_execute_with_args(sql.data, 1, &type, &id, NULL, true, 1) !=
		SPI_OK_SELECT)
		elog(ERROR, "could not read events of %s", c->table->label);
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
	return SPI_processed > 0;
}

bool
record_has_unsettled_refund(const CancelTarget *c)
{
	Parameters p = {0};

	if (OidIsValid(c->archive))
		return has_unsettled_in_archive(c);
	parameter_value(&p, INT8OID, Int64GetDatum(c->record.id), false);
	return plan_cache_run(c->table, STATEMENT_UNSETTLED, unsettled_sql, &p,
						  READ_CURRENT) > 0;
}

/*
 * OFFSET 0 makes the planner start with the cancellations of the order, and
 * look up their events by index.
 */
static void
find_refund_sql(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT r.data OPERATOR(pg_catalog.->>) 'amount',"
		" r.data OPERATOR(pg_catalog.->>) 'method',"
		" c.cancellation_id::pg_catalog.int8"
		" FROM ONLY %s AS c,"
		" LATERAL (SELECT e.data FROM ONLY %s AS e"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id"
		" AND e.type OPERATOR(pg_catalog.=) 'refunded' OFFSET 0) AS r"
		" WHERE COALESCE((r.data OPERATOR(pg_catalog.->>) 'reference') OPERATOR(pg_catalog.=) $1,"
		" (r.data OPERATOR(pg_catalog.->>) 'reference') IS NULL AND $1 IS NULL) AND ",
		record_table_label(table->cancellation_table),
		record_table_label(table->event_table));
	order_key_qual(sql, table, "c", table->record_keys, 2);
}

List *
record_find_refund(const CancelTarget *c, const char *reference)
{
	Parameters p = {0};
	List	  *refunds = NIL;
	uint64	   rows;
	bool	   isnull;

	parameter_text(&p, reference);
	parameter_key(&p, c->table, c->key);
	rows = plan_cache_run(c->table, STATEMENT_FIND_REFUND, find_refund_sql, &p,
						  READ_CURRENT);
	for (uint64 i = 0; i < rows; i++)
	{
		RecordedRefund *refund = palloc(sizeof(RecordedRefund));
		HeapTuple		row = SPI_tuptable->vals[i];
		char		   *amount = SPI_getvalue(row, SPI_tuptable->tupdesc, 1);

		refund->amount = amount ?
			DatumGetNumeric(DirectFunctionCall3(numeric_in,
												CStringGetDatum(amount),
												ObjectIdGetDatum(InvalidOid),
												Int32GetDatum(-1))) :
			NULL;
		refund->method = SPI_getvalue(row, SPI_tuptable->tupdesc, 2);
		refund->cancellation_id = DatumGetInt64(
			SPI_getbinval(row, SPI_tuptable->tupdesc, 3, &isnull));
		refunds = lappend(refunds, refund);
	}
	SPI_freetuptable(SPI_tuptable);
	return refunds;
}

/* With a join instead of the subquery, the planner might scan all events. */
static void
kept_sql(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(
		sql,
		"SELECT pg_catalog.sum(c.refunded::pg_catalog.numeric)"
		" FROM ONLY %s AS c"
		" WHERE c.state OPERATOR(pg_catalog.=) 'undone'"
		" AND c.refunded OPERATOR(pg_catalog.>) 0"
		" AND COALESCE((SELECT e.data OPERATOR(pg_catalog.->>) 'settled'"
		" FROM ONLY %s AS e"
		" WHERE e.cancellation_id OPERATOR(pg_catalog.=) c.cancellation_id"
		" AND e.type OPERATOR(pg_catalog.=) 'undone' LIMIT 1), 'false')"
		" OPERATOR(pg_catalog.<>) 'true' AND ",
		record_table_label(table->cancellation_table),
		record_table_label(table->event_table));
	order_key_qual(sql, table, "c", table->record_keys, 1);
}

Numeric
record_kept_refunds(const CancelTarget *c)
{
	Parameters	  p = {0};
	NullableDatum sum;
	Numeric		  kept;

	parameter_key(&p, c->table, c->key);
	plan_cache_run(c->table, STATEMENT_KEPT, kept_sql, &p, READ_CURRENT);
	sum = result_column(1);
	kept = nullable_numeric(sum.value, sum.isnull);
	SPI_freetuptable(SPI_tuptable);
	return kept;
}

/*
 * Looks up the first index entry of the order; record_find looked up the last
 * one.
 */
bool
record_has_earlier(const CancelTarget *c)
{
	OrderTable *table = c->table;
	Relation	rel = record_open(table->cancellation_table, AccessShareLock);
	IndexLookup lookup;
	bool		isnull;
	bool		earlier = true;

	index_lookup_begin(&lookup, rel,
					   record_index(table, rel, RECORD_INDEX_NEWEST),
					   table->keys, table->nkeys, READ_CURRENT);
	if (index_lookup_find(&lookup, c->key, ForwardScanDirection))
		earlier = DatumGetInt64(slot_getattr(lookup.slot,
											 get_attnum(RelationGetRelid(rel),
														"cancellation_id"),
											 &isnull)) != c->record.id;
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
	return earlier;
}

static bool
is_request_key_index(Relation rel, Relation index)
{
	AttrNumber column = index->rd_index->indkey.values[0];

	return index->rd_index->indisunique &&
		IndexRelationGetNumberOfKeyAttributes(index) == 1 && column > 0 &&
		strcmp(NameStr(
				   TupleDescAttr(RelationGetDescr(rel), column - 1)->attname),
			   "request_key") == 0;
}

RequestKeyIndex
record_request_key_index(const OrderTable *table)
{
	RequestKeyIndex found = {0};
	Relation		rel = record_try_open(table->event_table, AccessShareLock);
	List		   *indexes = rel ? RelationGetIndexList(rel) : NIL;
	ListCell	   *lc;

	foreach(lc, indexes)
	{
		Relation index = index_open(lfirst_oid(lc), AccessShareLock);

		if (is_request_key_index(rel, index))
			found.name = pstrdup(RelationGetRelationName(index));
		index_close(index, NoLock);
	}
	if (rel && found.name)
	{
		found.schema = get_namespace_name(RelationGetNamespace(rel));
		found.table = pstrdup(RelationGetRelationName(rel));
	}
	list_free(indexes);
	if (rel)
		table_close(rel, NoLock);
	return found;
}

bool
record_request_key_taken(const RequestKeyIndex *index, const ErrorData *error)
{
	return error->sqlerrcode == ERRCODE_UNIQUE_VIOLATION &&
		equal_or_both_null(index->name, error->constraint_name) &&
		equal_or_both_null(index->table, error->table_name) &&
		equal_or_both_null(index->schema, error->schema_name) && index->name;
}

static void
cancellations_sql(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql,
					 "SELECT c.cancellation_id::pg_catalog.text"
					 " FROM %s AS c WHERE ",
					 record_table_label(table->cancellation_table));
	order_key_qual(sql, table, "c", table->record_keys, 1);
}

char *
record_numbers(OrderTable *table, const Datum *key)
{
	MemoryContext  caller = CurrentMemoryContext;
	Parameters	   p = {0};
	StringInfoData list;

	initStringInfo(&list);
	appendStringInfoString(&list, "NULL");
	parameter_key(&p, table, key);
	SPI_connect();
	MemoryContextSwitchTo(caller);
	plan_cache_run(table, STATEMENT_CANCELLATIONS, cancellations_sql, &p,
				   READ_CALLER);
	for (uint64 i = 0; i < SPI_processed; i++)
		appendStringInfo(&list, ", %s",
						 SPI_getvalue(SPI_tuptable->vals[i],
									  SPI_tuptable->tupdesc, 1));
	SPI_finish();
	return list.data;
}
