/*
 * open_index.c — the partial indexes on open cancellations
 *
 * The catalogs are read without the relcache entry of the cancellation table,
 * which would cost a new session several times as much as all the rest.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/indexing.h"
#include "catalog/pg_am.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_index.h"
#include "catalog/pg_operator.h"
#include "catalog/pg_type.h"
#include "nodes/nodeFuncs.h"
#include "nodes/primnodes.h"
#include "nodes/tidbitmap.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/index_end.h"
#include "base/relid_cache.h"
#include "rows/open_index.h"

typedef struct OpenIndex
{
	Oid			  oid;	/* InvalidOid: there is none */
	TransactionId xmin; /* if valid: only for newer snapshots */
} OpenIndex;

/* The indexes of a cancellation table. */
typedef struct IndexEntry
{
	RelidCacheEntry cached;
	bool			complete; /* all were examined */
	OpenIndex		requests;
	OpenIndex		refunds;
} IndexEntry;

static RelidCache cache;

void
open_index_init(void)
{
	relid_cache_init(&cache, "ordcancel state indexes", sizeof(IndexEntry));
}

bool
open_kind_from_name(const char *name, OpenKind *kind)
{
	if (name == NULL ||
		(strcmp(name, "requested") != 0 && strcmp(name, "refund_due") != 0))
		return false;
	*kind = strcmp(name, "requested") == 0 ? OPEN_REQUEST : OPEN_REFUND;
	return true;
}

static bool
is_btree(Oid index)
{
	HeapTuple tuple = SearchSysCache1(RELOID, ObjectIdGetDatum(index));
	bool	  btree = HeapTupleIsValid(tuple) &&
		((Form_pg_class) GETSTRUCT(tuple))->relam == BTREE_AM_OID;

	if (HeapTupleIsValid(tuple))
		ReleaseSysCache(tuple);
	return btree;
}

/*
 * The text that the column "state" has in all rows of an index with this
 * predicate; if it is an OR, in those of its first case.  NULL if the predicate
 * is another one.
 */
static char *
selected_state(Oid cancellation_table, Node *predicate)
{
	OpExpr *equal = (OpExpr *) (is_orclause(predicate) ?
									linitial(((BoolExpr *) predicate)->args) :
									predicate);
	Var	   *var;
	Const  *value;
	char   *column;

	if (!IsA(equal, OpExpr) || equal->opno != TextEqualOperator ||
		equal->inputcollid != DEFAULT_COLLATION_OID)
		return NULL;
	var = linitial(equal->args);
	value = lsecond(equal->args);
	if (!IsA(var, Var) || !IsA(value, Const) || value->constisnull)
		return NULL;
	column = get_attname(cancellation_table, var->varattno, true);
	return column && strcmp(column, "state") == 0 ?
		TextDatumGetCString(value->constvalue) :
		NULL;
}

static void
examine(IndexEntry *entry, HeapTuple tuple, TupleDesc desc)
{
	Form_pg_index form = (Form_pg_index) GETSTRUCT(tuple);
	OpenIndex	  index = {.oid = form->indexrelid};
	bool		  isnull;
	Datum		  predicate = heap_getattr(tuple, Anum_pg_index_indpred, desc,
										   &isnull);
	char		 *name;

	if (isnull || !form->indisvalid)
		return;
	/* As in the planner: older snapshots see row versions that it may lack. */
	if (form->indcheckxmin)
		index.xmin = HeapTupleHeaderGetXmin(tuple->t_data);
	name = selected_state(entry->cached.relid,
						  stringToNode(TextDatumGetCString(predicate)));
	if (name == NULL || !is_btree(index.oid))
		return;
	if (strcmp(name, state_name(STATE_REQUESTED)) == 0)
		entry->requests = index;
	else if (strcmp(name, state_name(STATE_IN_PROGRESS)) == 0)
		entry->refunds = index;
}

static IndexEntry *
get_entry(Oid cancellation_table)
{
	IndexEntry *entry = relid_cache_enter(&cache, cancellation_table);
	ScanKeyData key;
	Relation	catalog;
	SysScanDesc scan;
	HeapTuple	tuple;

	if (entry->cached.valid && entry->complete)
		return entry;
	entry->cached.valid = true;
	entry->complete = false;
	entry->requests = entry->refunds = (OpenIndex){0};
	ScanKeyInit(&key, Anum_pg_index_indrelid, BTEqualStrategyNumber, F_OIDEQ,
				ObjectIdGetDatum(cancellation_table));
	catalog = table_open(IndexRelationId, AccessShareLock);
	scan = systable_beginscan(catalog, IndexIndrelidIndexId, true, NULL, 1,
							  &key);
	while (HeapTupleIsValid(tuple = systable_getnext(scan)))
		examine(entry, tuple, RelationGetDescr(catalog));
	systable_endscan(scan);
	table_close(catalog, AccessShareLock);
	entry->complete = true;
	return entry;
}

static Oid
usable_index(const IndexEntry *entry, OpenKind kind)
{
	const OpenIndex *index = kind == OPEN_REQUEST ? &entry->requests :
													&entry->refunds;

	return TransactionIdIsValid(index->xmin) &&
			!TransactionIdPrecedes(index->xmin, TransactionXmin) ?
		InvalidOid :
		index->oid;
}

Oid
open_index_find(Oid cancellation_table, OpenKind kind)
{
	return usable_index(get_entry(cancellation_table), kind);
}

/*
 * Entries of rows that are no longer open stay until VACUUM, but a scan
 * leaves out those of which it is known.  A bitmap scan is the one that does
 * without the table.
 */
static bool
is_empty(Oid oid)
{
	Relation	  index;
	IndexScanDesc scan;
	TIDBitmap	 *rows;
	bool		  empty;

	if (index_end(oid, NULL) == INDEX_END_NONE)
		return true;
	index = index_open(oid, NoLock);
	scan = begin_bitmap_scan(index, GetActiveSnapshot(), 0);
	rows = tbm_create(64 * 1024, NULL);
	index_rescan(scan, NULL, 0, NULL, 0);
	index_getbitmap(scan, rows);
	index_endscan(scan);
	empty = tbm_is_empty(rows);
	tbm_free(rows);
	index_close(index, NoLock);
	return empty;
}

OpenIndexContent
open_index_content(Oid cancellation_table, OpenKind kind)
{
	OpenIndexContent content = OPEN_INDEX_MISSING;
	IndexEntry		*entry = get_entry(cancellation_table);
	Oid				 oid = usable_index(entry, kind);

	if (!OidIsValid(oid))
		return OPEN_INDEX_MISSING;
	LockRelationOid(oid, AccessShareLock);

	/* The lock brings in invalidations, for instance by DROP INDEX. */
	if (entry->cached.valid)
		content = is_empty(oid) ? OPEN_INDEX_EMPTY : OPEN_INDEX_FULL;
	UnlockRelationOid(oid, AccessShareLock);
	return content;
}
