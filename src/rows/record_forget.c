/*
 * record_forget.c — erases what persons wrote and are named by
 *
 * Facts stay: states, times, amounts, reasons, methods and references of
 * refunds, request keys.  Refunds are added up by them, and repeated calls are
 * recognized by them.  Of the former values of columns, only free text is
 * erased while the cancellation may still end: an undo restores the others.
 */
#include "postgres.h"

#include "access/genam.h"
#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_am.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/fmgrprotos.h"
#include "utils/jsonb.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rel.h"

#include "base/read_snapshot.h"
#include "decision/labels.h"
#include "rows/index_lookup.h"
#include "rows/plan_cache.h"
#include "rows/prior_values.h"
#include "rows/record.h"
#include "rows/record_columns.h"
#include "rows/record_index.h"
#include "rows/record_open.h"
#include "rows/record_rows.h"

/* The texts of each kind of record table.  A column need not exist. */
static const char *const cancellation_texts[] = {
	"requested_actor", "decided_actor", "note", "decision_note",
	"undo_note",	   "metadata",		NULL};
static const char *const item_texts[] = {"note", NULL};
static const char *const event_texts[] = {"actor", NULL};

/* Those of the fields in data of an event. */
static const char *const data_texts[] = {"metadata", "note", NULL};

typedef struct Forget
{
	Oid	   orders;
	bool   roles;
	bool   erased; /* anything */
	int	   count;  /* of events */
	int	   size;
	Datum *events; /* their IDs */
} Forget;

/* Erases from a row in a slot that is being filled; false: nothing to erase. */
typedef bool (*EraseRow)(Forget *f, Relation rel, TupleTableSlot *row);

static bool
erase_columns(Relation rel, TupleTableSlot *row, const char *const *names)
{
	bool erased = false;

	for (; *names; names++)
	{
		int attnum = SPI_fnumber(RelationGetDescr(rel), *names);

		if (attnum <= 0 || row->tts_isnull[attnum - 1])
			continue;
		row->tts_isnull[attnum - 1] = true;
		erased = true;
	}
	return erased;
}

static bool
is_text(Relation rel, TupleTableSlot *row, const char *column,
		const char *value)
{
	int i = record_column(rel, column) - 1;

	return !row->tts_isnull[i] &&
		strcmp(TextDatumGetCString(row->tts_values[i]), value) == 0;
}

/* May the column have what a person wrote?  Not known: it may. */
static bool
is_free_text(Oid orders, const char *column)
{
	AttrNumber attnum = get_attnum(orders, column);
	char	   category;
	bool	   preferred;

	if (attnum <= 0)
		return true;
	get_type_category_preferred(getBaseType(get_atttype(orders, attnum)),
								&category, &preferred);
	return category != TYPCATEGORY_BOOLEAN && category != TYPCATEGORY_ENUM &&
		category != TYPCATEGORY_NUMERIC && category != TYPCATEGORY_DATETIME &&
		category != TYPCATEGORY_TIMESPAN;
}

/* That a text was NULL before is kept. */
static bool
erase_prior_values(Forget *f, Relation rel, TupleTableSlot *row)
{
	int		  i = SPI_fnumber(RelationGetDescr(rel), "prior_values") - 1;
	State	  state;
	char	 *state_text;
	List	 *values;
	ListCell *lc;
	bool	  erased = false;

	if (i < 0 || row->tts_isnull[i])
		return false;
	state_text = TextDatumGetCString(
		row->tts_values[record_column(rel, "state") - 1]);
	if (!state_from_name(state_text, &state) || state_has_ended(state))
	{
		row->tts_isnull[i] = true;
		return true;
	}
	values = prior_values_read(
		(struct varlena *) DatumGetJsonbP(row->tts_values[i]));
	foreach(lc, values)
	{
		PriorValue *value = lfirst(lc);

		if (value->erased || !is_free_text(f->orders, value->column))
			continue;
		erased = true;
		value->erased = true;
		if (value->prior)
			values = foreach_delete_current(values, lc);
	}
	if (!erased)
		return false;
	row->tts_values[i] = PointerGetDatum(prior_values_json(values));
	row->tts_isnull[i] = values == NIL;
	return true;
}

/*
 * Whether undo_cancel has denied a request is known by undo_note being there
 * (DecisionInput.last_undone), so it becomes empty instead.
 */
static bool
erase_cancellation(Forget *f, Relation rel, TupleTableSlot *row)
{
	int	 undo_note = record_column(rel, "undo_note") - 1;
	bool keep = !row->tts_isnull[undo_note] &&
		is_text(rel, row, "state", state_name(STATE_DENIED));
	bool is_empty = keep && is_text(rel, row, "undo_note", "");
	bool erased;

	if (is_empty)
		row->tts_isnull[undo_note] = true;
	erased = erase_columns(rel, row, cancellation_texts);
	erased |= erase_prior_values(f, rel, row);
	if (keep)
	{
		row->tts_isnull[undo_note] = false;
		row->tts_values[undo_note] = CStringGetTextDatum("");
	}
	return erased;
}

static bool
erase_item(Forget *f, Relation rel, TupleTableSlot *row)
{
	return erase_columns(rel, row, item_texts);
}

static bool
erase_data(TupleTableSlot *row, int i)
{
	Datum data = row->tts_values[i];
	bool  erased = false;

	if (row->tts_isnull[i] || !JB_ROOT_IS_OBJECT(DatumGetJsonbP(data)))
		return false;
	for (const char *const *name = data_texts; *name; name++)
	{
		Datum key = CStringGetTextDatum(*name);

		if (!DatumGetBool(DirectFunctionCall2(jsonb_exists, data, key)))
			continue;
		data = DirectFunctionCall2(jsonb_delete, data, key);
		erased = true;
	}
	row->tts_values[i] = data;
	row->tts_isnull[i] = JB_ROOT_COUNT(DatumGetJsonbP(data)) == 0;
	return erased;
}

static bool
erase_role(TupleTableSlot *row, int i)
{
	if (NameStr(*DatumGetName(row->tts_values[i]))[0] == '\0')
		return false;
	row->tts_values[i] = DirectFunctionCall1(namein, CStringGetDatum(""));
	return true;
}

static void
remember_event(Forget *f, Datum id)
{
	if (f->count == f->size)
	{
		f->size = Max(16, 2 * f->size);
		f->events = f->events ? repalloc(f->events, f->size * sizeof(Datum)) :
								palloc(f->size * sizeof(Datum));
	}
	f->events[f->count++] = id;
}

/* An event that records an erasure stays as it is. */
static bool
erase_event(Forget *f, Relation rel, TupleTableSlot *row)
{
	bool erased;

	remember_event(f, row->tts_values[record_column(rel, "event_id") - 1]);
	if (is_text(rel, row, "type", event_type_name(EVENT_FORGOTTEN)))
		return false;
	erased = erase_columns(rel, row, event_texts);
	erased |= erase_data(row, record_column(rel, "data") - 1);
	if (f->roles)
		erased |= erase_role(row, record_column(rel, "session_role") - 1);
	return erased;
}

void
record_lookup_by_cancellation(IndexLookup *lookup, Relation rel)
{
	static const char *const column = "cancellation_id";
	static Column			 id = {0};

	if (!OidIsValid(id.equal_function.fn_oid))
		fmgr_info_cxt(F_INT8EQ, &id.equal_function, TopMemoryContext);
	index_lookup_begin(lookup, rel, record_index_by_number(rel, &column, 1),
					   &id, 1, READ_LATEST);
}

/* The caller holds the lock of the order, so nobody else writes the rows. */
static void
erase_rows(Forget *f, const CancelTarget *c, Oid relid, List *ids,
		   EraseRow erase)
{
	TupleTableSlot *fresh;
	IndexLookup		lookup;
	RecordWrite		w;
	ListCell	   *lc;

	record_write_begin_unmapped(&w, c->table, relid);
	fresh = table_slot_create(w.rel, NULL);
	record_lookup_by_cancellation(&lookup, w.rel);
	foreach(lc, ids)
		for (bool row =
				 index_lookup_find(&lookup, lfirst(lc), ForwardScanDirection);
			 row; row = index_lookup_next(&lookup, ForwardScanDirection))
		{
			direct_write_copy(fresh, lookup.slot);
			if (!erase(f, w.rel, fresh))
				continue;
			f->erased = true;
			ExecStoreVirtualTuple(fresh);
			if (!direct_write_update(&w.write, lookup.slot, fresh,
									 record_raise_conflict, NULL))
				record_raise_not_written(w.rel);
		}
	index_lookup_end(&lookup);
	ExecDropSingleTupleTableSlot(fresh);
	record_write_end(&w);
}

/* The IDs of the order's cancellations, as a list of Datum *. */
static List *
find_cancellations(const CancelTarget *c)
{
	OrderTable *table = c->table;
	Relation	rel = record_open(table->cancellation_table, AccessShareLock);
	AttrNumber	id = record_column(rel, "cancellation_id");
	List	   *ids = NIL;
	IndexLookup lookup;

	index_lookup_begin(&lookup, rel,
					   record_index(table, rel, RECORD_INDEX_NEWEST),
					   table->keys, table->nkeys, READ_LATEST);
	for (bool row = index_lookup_find(&lookup, c->key, ForwardScanDirection);
		 row; row = index_lookup_next(&lookup, ForwardScanDirection))
	{
		Datum *copy = palloc(sizeof(Datum));
		bool   isnull;

		*copy = slot_getattr(lookup.slot, id, &isnull);
		ids = lappend(ids, copy);
	}
	index_lookup_end(&lookup);
	table_close(rel, NoLock);
	return ids;
}

/* Why a consumer has set an event of the order aside. */
static void
erase_skipped(Forget *f, const CancelTarget *c)
{
	static SPIPlanPtr plan = NULL;
	Parameters		  p = {0};

	if (f->count == 0)
		return;
	parameter_value(&p, INT8ARRAYOID,
					PointerGetDatum(construct_array(f->events, f->count,
													INT8OID, sizeof(int64),
													FLOAT8PASSBYVAL,
													TYPALIGN_DOUBLE)),
					false);
	parameter_text(&p, c->key_text);
	f->erased |=
		extension_run(
			&plan,
			"UPDATE ordcancel_internal.skipped_event AS s SET why = NULL"
			" WHERE s.event_id OPERATOR(pg_catalog.=) ANY ($1)"
			" AND s.order_key OPERATOR(pg_catalog.=) $2"
			" AND s.why IS NOT NULL",
			&p) > 0;
}

bool
record_forget(const CancelTarget *c, bool roles)
{
	Forget f = {.orders = c->table->relid, .roles = roles};
	List  *ids = find_cancellations(c);

	if (ids == NIL)
		return false;
	erase_rows(&f, c, c->table->cancellation_table, ids, erase_cancellation);
	if (OidIsValid(c->table->item_records))
		erase_rows(&f, c, c->table->item_records, ids, erase_item);
	erase_rows(&f, c, c->table->event_table, ids, erase_event);
	erase_skipped(&f, c);
	return f.erased;
}
