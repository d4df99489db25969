/*
 * record.c — finding cancellations and events
 */
#include "postgres.h"

#include "access/table.h"
#include "access/xact.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/relcache.h"
#include "utils/timestamp.h"

#include "order_key.h"
#include "record.h"
#include "record_columns.h"
#include "refusal.h"
#include "row_probe.h"
#include "statement.h"

/* The record tables are the owner's, who may have renamed or dropped them. */
char *
record_table_label(Oid relid)
{
	char *name = get_rel_name(relid);

	if (name == NULL)
		refusal_raise_invalid_policy(
			"a record table of the order table is missing",
			psprintf("Relation with OID %u was dropped.", relid),
			"Call ordcancel.attach() again to make a new one; what it recorded is lost.");
	return quote_qualified_identifier(get_namespace_name(
										  get_rel_namespace(relid)),
									  name);
}

/* The owner could change a type; the casts cost nothing where none is needed. */
static void
select_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfoString(sql, "SELECT ");
	for (int i = 0; cancellation_columns[i].name; i++)
		appendStringInfo(sql, "%sc.%s::%s", i ? ", " : "",
						 cancellation_columns[i].name,
						 format_type_be_qualified(
							 cancellation_columns[i].type));
	appendStringInfo(sql, " FROM ONLY %s AS c WHERE ",
					 record_table_label(table->cancellation_table));
}

/*
 * The live cancellation is always the newest: while there is one, the order
 * takes no other, and ids are drawn under the order's lock.
 */
static void
find_newest_text(StringInfo sql, const OrderTable *table)
{
	select_text(sql, table);
	order_key_qual(sql, table, "c", table->record_keys, 1);
	appendStringInfoString(sql, " ORDER BY c.cancellation_id DESC LIMIT 1");
}

static void
find_by_id_text(StringInfo sql, const OrderTable *table)
{
	select_text(sql, table);
	appendStringInfoString(sql, "c.cancellation_id OPERATOR(pg_catalog.=) $1");
}

static Party
party_of(const char *name, bool *known)
{
	Party party = PARTY_SYSTEM;

	*known = name != NULL;
	if (name)
		party_from_name(name, &party);
	return party;
}

static char *
slot_text(TupleTableSlot *slot, const RecordMap *map, CancellationColumn c)
{
	bool  isnull;
	Datum value = slot_getattr(slot, map->attnums[c], &isnull);

	return isnull ? NULL : TextDatumGetCString(value);
}

static TimestampTz *
slot_time(TupleTableSlot *slot, const RecordMap *map, CancellationColumn c)
{
	bool		 isnull;
	Datum		 value = slot_getattr(slot, map->attnums[c], &isnull);
	TimestampTz *at;

	if (isnull)
		return NULL;
	at = palloc(sizeof(TimestampTz));
	*at = DatumGetTimestampTz(value);
	return at;
}

static Numeric
slot_numeric(TupleTableSlot *slot, const RecordMap *map, CancellationColumn c)
{
	bool  isnull;
	Datum value = slot_getattr(slot, map->attnums[c], &isnull);

	return isnull ? NULL : DatumGetNumericCopy(value);
}

static void
fill_from_slot(OrderCase *c, TupleTableSlot *row, const RecordMap *map)
{
	Cancellation *r = &c->record;
	bool		  known;

	c->has_record = true;
	r->id = DatumGetInt64(
		slot_getattr(row, map->attnums[CANCELLATION_ID], &known));
	state_from_name(slot_text(row, map, CANCELLATION_STATE), &r->state);
	r->requested_by = party_of(slot_text(row, map, CANCELLATION_REQUESTED_BY),
							   &known);
	r->requested_actor = slot_text(row, map, CANCELLATION_REQUESTED_ACTOR);
	r->decided_by = party_of(slot_text(row, map, CANCELLATION_DECIDED_BY),
							 &r->decided);
	r->decided_actor = slot_text(row, map, CANCELLATION_DECIDED_ACTOR);
	r->reason = slot_text(row, map, CANCELLATION_REASON);
	r->note = slot_text(row, map, CANCELLATION_NOTE);
	r->decision_note = slot_text(row, map, CANCELLATION_DECISION_NOTE);
	r->undo_note = slot_text(row, map, CANCELLATION_UNDO_NOTE);
	r->prior_status = slot_text(row, map, CANCELLATION_PRIOR_STATUS);
	r->order_status = slot_text(row, map, CANCELLATION_ORDER_STATUS);
	r->policy = slot_text(row, map, CANCELLATION_POLICY);
	r->request_key = slot_text(row, map, CANCELLATION_REQUEST_KEY);
	r->refund_due = slot_numeric(row, map, CANCELLATION_REFUND_DUE);
	r->refunded = slot_numeric(row, map, CANCELLATION_REFUNDED);
	r->requested_at = slot_time(row, map, CANCELLATION_REQUESTED_AT);
	r->decided_at = slot_time(row, map, CANCELLATION_DECIDED_AT);
	r->closed_at = slot_time(row, map, CANCELLATION_CLOSED_AT);
	r->deadline = slot_time(row, map, CANCELLATION_DEADLINE);
}

/* The same of what select_text has read: its columns are in our order. */
static void
fill_from_result(OrderCase *c)
{
	RecordMap		map = {0};
	TupleTableSlot *row;

	c->has_record = false;
	memset(&c->record, 0, sizeof(Cancellation));
	if (SPI_processed == 0)
		return;
	for (int i = 0; cancellation_columns[i].name; i++)
		map.attnums[i] = i + 1;
	row = MakeSingleTupleTableSlot(SPI_tuptable->tupdesc, &TTSOpsHeapTuple);
	ExecStoreHeapTuple(SPI_tuptable->vals[0], row, false);
	fill_from_slot(c, row, &map);
	ExecDropSingleTupleTableSlot(row);
	SPI_freetuptable(SPI_tuptable);
}

static void
find_by_statement(OrderCase *c, Sight sight)
{
	Parameters p = {0};

	parameter_key(&p, c->table, c->key);
	statement_run(c->table, STATEMENT_FIND_NEWEST, find_newest_text, &p,
				  sight);
	fill_from_result(c);
}

/*
 * An index as attach makes it, on the key and cancellation_id: its last entry
 * for an order is the newest cancellation.
 */
static bool
serves_newest(const OrderTable *table, Relation rel, Oid indexid)
{
	Relation index = index_open(indexid, AccessShareLock);
	int		 nkeys = IndexRelationGetNumberOfKeyAttributes(index);
	bool	 serves = index->rd_rel->relam == BTREE_AM_OID &&
		index->rd_index->indisvalid && nkeys == table->nkeys + 1 &&
		RelationGetIndexExpressions(index) == NIL &&
		RelationGetIndexPredicate(index) == NIL;

	for (int i = 0; i < nkeys && serves; i++)
	{
		int			attnum = index->rd_index->indkey.values[i];
		const char *name = NameStr(
			TupleDescAttr(RelationGetDescr(rel), attnum - 1)->attname);

		serves = i == table->nkeys ?
			strcmp(name, "cancellation_id") == 0 :
			strcmp(name, table->record_keys[i]) == 0 &&
				index->rd_indcollation[i] == table->keys[i].collation &&
				get_opfamily_member(index->rd_opfamily[i],
									index->rd_opcintype[i],
									index->rd_opcintype[i],
									BTEqualStrategyNumber) ==
					table->keys[i].equal;
	}
	index_close(index, NoLock);
	return serves;
}

/* The index above; InvalidOid: the owner has dropped it. */
static Oid
newest_index(OrderTable *table, Relation rel)
{
	List	 *indexes = RelationGetIndexList(rel);
	ListCell *lc;

	if (!list_member_oid(indexes, table->newest_index))
	{
		table->newest_index = InvalidOid;
		foreach(lc, indexes)
			if (serves_newest(table, rel, lfirst_oid(lc)))
				table->newest_index = lfirst_oid(lc);
	}
	list_free(indexes);
	return table->newest_index;
}

static void
find_by_probe(OrderCase *cases, int count, Relation rel, Oid index,
			  const RecordMap *map, Sight sight)
{
	OrderTable *table = cases[0].table;
	Probe		probe;

	probe_begin(&probe, rel, index, table->keys, table->nkeys, sight);
	for (int i = 0; i < count; i++)
		if (cases[i].result == CASE_OPEN &&
			probe_find(&probe, cases[i].key, BackwardScanDirection))
			fill_from_slot(&cases[i], probe.slot, map);
	probe_end(&probe);
}

static void
find(OrderCase *cases, int count, Sight sight)
{
	OrderTable *table = cases[0].table;
	Relation  rel = try_table_open(table->cancellation_table, AccessShareLock);
	Oid		  index = rel ? newest_index(table, rel) : InvalidOid;
	RecordMap map;

	for (int i = 0; i < count; i++)
	{
		cases[i].has_record = false;
		memset(&cases[i].record, 0, sizeof(Cancellation));
	}
	if (OidIsValid(index) &&
		record_map(&map, cancellation_columns, table, RelationGetDescr(rel)))
		find_by_probe(cases, count, rel, index, &map, sight);
	else
		for (int i = 0; i < count; i++)
			if (cases[i].result == CASE_OPEN)
				find_by_statement(&cases[i], sight);
	if (rel)
		table_close(rel, NoLock);
}

static void
check_same(const OrderCase *c, const OrderCase *latest)
{
	if (latest->has_record != c->has_record ||
		latest->record.id != c->record.id ||
		latest->record.state != c->record.state)
		ereport(
			ERROR,
			(errcode(ERRCODE_T_R_SERIALIZATION_FAILURE),
			 errmsg(
				 "could not serialize access due to concurrent cancellation"),
			 errdetail(
				 "A cancellation of order %s of %s was written after this transaction began.",
				 c->key_text, c->table->label),
			 errhint("The transaction might succeed if retried.")));
}

void
record_find(OrderCase *cases, int count)
{
	OrderCase *latest;

	if (!IsolationUsesXactSnapshot())
	{
		find(cases, count, SIGHT_NOW);
		return;
	}

	/*
	 * The transaction's snapshot may be older than a cancellation that took
	 * only a lock on the order row.  What is newer decides; but a transaction
	 * that cannot see it may not build on it either.
	 */
	latest = palloc(count * sizeof(OrderCase));
	memcpy(latest, cases, count * sizeof(OrderCase));
	find(latest, count, SIGHT_LATEST);
	find(cases, count, SIGHT_NOW);
	for (int i = 0; i < count; i++)
		check_same(&cases[i], &latest[i]);
	pfree(latest);
}

void
record_look(OrderCase *cases, int count)
{
	find(cases, count, SIGHT_CALLER);
}

void
record_reread(OrderCase *c)
{
	Parameters p = {0};

	parameter_value(&p, INT8OID, Int64GetDatum(c->record.id), false);
	statement_run(c->table, STATEMENT_FIND_BY_ID, find_by_id_text, &p,
				  SIGHT_LATEST);
	fill_from_result(c);
}
