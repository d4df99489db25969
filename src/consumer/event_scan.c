/*
 * event_scan.c — reads events from many tables by index
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/relation.h"
#include "access/stratnum.h"
#include "access/table.h"
#include "access/tableam.h"
#include "access/tupconvert.h"
#include "access/xlog.h"
#include "catalog/pg_collation.h"
#include "executor/executor.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/memutils.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/compat.h"
#include "config/config_table.h"
#include "config/order_table.h"
#include "consumer/consumer_tables.h"
#include "consumer/event_index.h"
#include "consumer/event_scan.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_open.h"

/* One event table while it is read. */
typedef struct TableScan
{
	Relation		rel;
	Relation		index;
	IndexScanDesc	scan;
	TupleTableSlot *slot;

	/* attribute numbers */
	int event_id;
	int type;
	int at;
	int xid;
	int cluster;
} TableScan;

/* Called for each row; returns false to end the scan of the table. */
typedef bool (*EventRow)(TableScan *s, const EventPosition *event, void *arg);

/*
 * If it belongs to another role, who could have written its events, raises OC014
 * if the order table is attached, so that no event is passed by.
 */
static bool
is_readable(Relation rel, const EventTable *table, bool foreign_ok)
{
	if (rel->rd_rel->relkind != RELKIND_RELATION)
		return false;
	if (config_trusts(rel->rd_rel->relowner))
		return true;
	if (!foreign_ok && OidIsValid(table->orders) &&
		order_table_find(table->orders))
		record_raise_foreign(rel);
	return false;
}

/* NULL if the table was dropped, or may not be read. */
static Relation
open_events(const EventTable *table, bool foreign_ok)
{
	Relation rel = try_relation_open(table->events, AccessShareLock);

	if (rel && !is_readable(rel, table, foreign_ok))
	{
		relation_close(rel, AccessShareLock);
		return NULL;
	}
	return rel;
}

static void
find_columns(TableScan *s)
{
	s->event_id = record_column(s->rel, "event_id");
	s->type = record_column(s->rel, "type");
	s->at = record_column(s->rel, "at");
	s->xid = record_column(s->rel, "xid");
	s->cluster = record_column(s->rel, "cluster");
}

static int64
bigint_of(TableScan *s, int attnum)
{
	bool  isnull;
	Datum value = slot_getattr(s->slot, attnum, &isnull);

	return isnull ? 0 : DatumGetInt64(value);
}

static EventPosition
position_of(TableScan *s)
{
	bool local = bigint_of(s, s->cluster) == (int64) GetSystemIdentifier();

	return (EventPosition){
		.event_id = bigint_of(s, s->event_id),
		.xid = local ? (uint64) bigint_of(s, s->xid) : 0,
		.table = RelationGetRelid(s->rel),
	};
}

/*
 * Reads the events of one table that follow an ID.  Most tables have none, which
 * takes less time to find out than whether the owner may read them.
 */
static void
scan_table(const Consumer *c, const EventTable *table, int64 after,
		   bool foreign_ok, EventRow row, void *arg)
{
	TableScan	  s = {0};
	ScanKeyData	  key;
	EventPosition event;

	if (!event_index_may_exceed(table->events, after) ||
		!consumer_may_read(c, table))
		return;
	s.rel = open_events(table, foreign_ok);
	if (s.rel == NULL)
		return;
	s.index = index_open(event_index_find(s.rel), AccessShareLock);
	s.slot = table_slot_create(s.rel, NULL);
	s.scan = begin_index_scan(s.rel, s.index, GetActiveSnapshot(), 1);
	ScanKeyInit(&key, 1, BTGreaterStrategyNumber, F_INT8GT,
				Int64GetDatum(after));
	index_rescan(s.scan, &key, 1, NULL, 0);
	while (index_getnext_slot(s.scan, ForwardScanDirection, s.slot))
	{
		if (s.event_id == 0)
			find_columns(&s);
		event = position_of(&s);
		if (!row(&s, &event, arg))
			break;
		CHECK_FOR_INTERRUPTS();
	}
	index_endscan(s.scan);
	ExecDropSingleTupleTableSlot(s.slot);
	index_close(s.index, AccessShareLock);
	table_close(s.rel, AccessShareLock);
}

static void
scan_tables(const Consumer *c, List *tables, int64 after, bool foreign_ok,
			EventRow row, void *arg)
{
	ListCell *lc;

	foreach(lc, tables)
	{
		scan_table(c, lfirst(lc), after, foreign_ok, row, arg);
	}
}

static bool
has_type(const Consumer *c, Datum type)
{
	for (int i = 0; i < c->ntypes; i++)
		if (DatumGetBool(DirectFunctionCall2Coll(texteq, C_COLLATION_OID,
												 c->types[i], type)))
			return true;
	return c->types == NULL;
}

static int
compare_ids(const void *a, const void *b)
{
	int64 left = *(const int64 *) a;
	int64 right = *(const int64 *) b;

	return left < right ? -1 : left > right ? 1 : 0;
}

/* Is an event one that the consumer still has to get? */
static bool
is_waiting(const Consumer *c, TableScan *s, const EventPosition *event)
{
	bool isnull;

	return consumer_wants(c, event->xid, event->event_id) &&
		has_type(c, slot_getattr(s->slot, s->type, &isnull)) &&
		(c->nskipped == 0 ||
		 bsearch(&event->event_id, c->skipped, c->nskipped, sizeof(int64),
				 compare_ids) == NULL);
}

/* A row of a batch that is being collected. */
typedef struct Candidate
{
	int64	  event_id;
	HeapTuple row;
} Candidate;

/* Keeps the first rows of all tables. */
typedef struct Collector
{
	const Consumer *consumer;
	int				limit;
	EventBatch	   *batch;
	Candidate	   *rows;
	int				count;
	int				capacity;
	int				of_table; /* rows of the table that is being read */

	/* Rows of the table that is being read are converted to the batch's. */
	TupleConversionMap *map;
	TupleTableSlot	   *converted;
	Oid					relid;
} Collector;

static void
convert_row(Collector *k, TableScan *s, const EventPosition *event)
{
	HeapTuple row;

	if (k->relid != RelationGetRelid(s->rel))
	{
		k->relid = RelationGetRelid(s->rel);
		k->map = convert_tuples_by_name(RelationGetDescr(s->rel),
										k->batch->desc);
	}
	row = k->map ?
		ExecCopySlotHeapTuple(
			execute_attr_map_slot(k->map->attrMap, s->slot, k->converted)) :
		ExecCopySlotHeapTuple(s->slot);
	if (k->count == k->capacity)
	{
		k->capacity *= 2;
		k->rows = repalloc_huge(k->rows, k->capacity * sizeof(Candidate));
	}
	k->rows[k->count++] = (Candidate){event->event_id, row};
}

static bool
collect_row(TableScan *s, const EventPosition *event, void *arg)
{
	Collector *k = arg;

	/* The rows of the tables before fill the batch with lower IDs. */
	if (k->count - k->of_table >= k->limit &&
		event->event_id > k->rows[k->limit - 1].event_id)
		return false;
	k->batch->examined++;
	if (event_horizon_sees(k->consumer->window, event->xid, event->event_id) &&
		is_waiting(k->consumer, s, event))
	{
		convert_row(k, s, event);
		k->of_table++;
	}
	return k->of_table < k->limit;
}

static int
compare_candidates(const void *a, const void *b)
{
	return compare_ids(&((const Candidate *) a)->event_id,
					   &((const Candidate *) b)->event_id);
}

/*
 * After each table, only the first rows are kept, in order, and those with the
 * same ID as the last one, since that ID acknowledges them all.
 */
static void
keep_first(Collector *k)
{
	qsort(k->rows, k->count, sizeof(Candidate), compare_candidates);
	while (k->count > k->limit &&
		   k->rows[k->count - 1].event_id > k->rows[k->limit - 1].event_id)
		heap_freetuple(k->rows[--k->count].row);
}

void
event_scan_window(EventBatch *batch, const Consumer *c, List *tables,
				  int64 after, int limit)
{
	Collector k = {.consumer = c, .limit = limit, .batch = batch};
	ListCell *lc;

	batch->examined = 0;
	k.capacity = Min(limit, 128);
	k.rows = palloc(k.capacity * sizeof(Candidate));
	k.converted = MakeSingleTupleTableSlot(batch->desc, &TTSOpsVirtual);
	foreach(lc, tables)
	{
		k.of_table = 0;
		scan_table(c, lfirst(lc), after, false, collect_row, &k);
		if (k.of_table > 0)
			keep_first(&k);
	}
	ExecDropSingleTupleTableSlot(k.converted);
	batch->count = k.count;
	batch->rows = palloc_extended(k.count * sizeof(HeapTuple),
								  MCXT_ALLOC_HUGE);
	batch->ids = palloc_extended(k.count * sizeof(int64), MCXT_ALLOC_HUGE);
	for (int i = 0; i < k.count; i++)
	{
		batch->rows[i] = k.rows[i].row;
		batch->ids[i] = k.rows[i].event_id;
	}
}

typedef struct Counter
{
	const Consumer *consumer;
	EventBacklog   *backlog;
} Counter;

static bool
count_row(TableScan *s, const EventPosition *event, void *arg)
{
	Counter *k = arg;
	bool	 isnull;

	if (is_waiting(k->consumer, s, event))
	{
		TimestampTz at = DatumGetTimestampTz(
			slot_getattr(s->slot, s->at, &isnull));

		if (k->backlog->count++ == 0 || at < k->backlog->oldest)
			k->backlog->oldest = at;
	}
	return true;
}

void
event_scan_backlog(EventBacklog *backlog, const Consumer *c, List *tables,
				   int64 after)
{
	Counter k = {c, backlog};

	backlog->count = 0;
	scan_tables(c, tables, after, true, count_row, &k);
}

static bool
found_row(TableScan *s, const EventPosition *event, void *arg)
{
	EventPosition *found = arg;

	if (event->event_id == found->event_id)
		*found = *event;
	return false;
}

bool
event_scan_find(EventPosition *found, const Consumer *c, List *tables,
				int64 event_id)
{
	*found = (EventPosition){.event_id = event_id};
	if (event_id > 0)
		scan_tables(c, tables, event_id - 1, false, found_row, found);
	return OidIsValid(found->table);
}
