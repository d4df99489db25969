/*
 * order_also_set.c — the values that also_set() sets along with the status
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "base/read_snapshot.h"
#include "base/stable_settings.h"
#include "base/text.h"
#include "config/also_set.h"
#include "config/config_table.h"
#include "config/expression.h"
#include "config/order_table_columns.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/order_image.h"
#include "rows/order_row.h"
#include "rows/prior_values.h"
#include "rows/record.h"
#include "rows/record_columns.h"

/* The values of one AlsoSetWhen. */
typedef struct Evaluation
{
	OrderTable	 *table;
	CancelTarget *targets;
	int			  count;
	AlsoSetWhen	  when;
	int			  next_input;  /* the next target to pass to the query */
	int			  next_result; /* the next target to get a result */
	OrderImages	  images;
	Relation	  records; /* ordcancel.cancellation */
	AttrNumber	  record_attnums[CANCELLATION_COLUMNS];
	TupleDesc	  pair; /* of an order's row and a record */
	MemoryContext context;
} Evaluation;

/*
 * A request for a whole order ends, too, if it is accepted for a part.  If the
 * status has changed in the meantime, nothing is restored.
 */
static AlsoSetWhen
when_of(const CancelTarget *c)
{
	State state = c->decision.state;
	bool  ends = c->decision.part ? c->input.live == STATE_REQUESTED :
									state_has_ended(state);

	if (ends)
		return c->input.part || c->input.moved_on ? ALSO_SET_COUNT :
													ALSO_SET_RESTORED;
	if (c->decision.part || state == c->input.live)
		return ALSO_SET_COUNT;
	switch (state)
	{
		case STATE_REQUESTED:
			return ALSO_SET_REQUESTED;
		case STATE_IN_PROGRESS:
			return ALSO_SET_IN_PROGRESS;
		case STATE_CANCELED:
			return ALSO_SET_CANCELED;
		default:
			return ALSO_SET_COUNT;
	}
}

/* The newline after each expression ends a "--" comment in it. */
static char *
query_text(const OrderTable *table, AlsoSetWhen when)
{
	StringInfoData sql;

	initStringInfo(&sql);
	for (int i = 0; i < table->nalso_set; i++)
		if (table->also_set[i].when == when)
			appendStringInfo(&sql, "%s (%s\n)", sql.len ? "," : "SELECT",
							 table->also_set[i].value);
	if (sql.len == 0)
		return NULL;
	appendStringInfo(&sql,
					 " FROM pg_catalog.unnest($1) AS pair"
					 " (o %s, c ordcancel.cancellation),"
					 " LATERAL pg_catalog.unnest(ARRAY[pair.o]) AS " PINNED_ROW
					 ", LATERAL pg_catalog.unnest(ARRAY[pair.c])"
					 " AS " PINNED_RECORD,
					 table->label);
	return sql.data;
}

/*
 * Coerces the values as an UPDATE would.  It cannot be written in the query: an
 * explicit cast to varchar(10) truncates.
 */
static void
coerce_values(Query *query, void *arg)
{
	const Evaluation *e = arg;
	ListCell		 *next = list_head(query->targetList);

	for (int i = 0; i < e->table->nalso_set; i++)
	{
		const Column *column = &e->table->also_set[i].column;
		TargetEntry	 *entry;
		Node		 *value;

		if (e->table->also_set[i].when != e->when)
			continue;
		entry = lfirst_node(TargetEntry, next);
		next = lnext(query->targetList, next);
		value = coerce_to_target_type(NULL, (Node *) entry->expr,
									  exprType((Node *) entry->expr),
									  column->type, column->typmod,
									  COERCION_ASSIGNMENT,
									  COERCE_IMPLICIT_CAST, -1);
		if (value == NULL)
			ereport(
				ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"%s\" is of type %s, its value of type %s",
						column->name, format_type_be(column->type),
						format_type_be(exprType((Node *) entry->expr)))));
		assign_expr_collations(NULL, value);
		entry->expr = (Expr *) value;
	}
}

static CancelTarget *
next_target(const Evaluation *e, int *at)
{
	while (*at < e->count &&
		   (e->targets[*at].result != TARGET_OPEN ||
			e->targets[*at].also_set_when != e->when))
		(*at)++;
	return *at < e->count ? &e->targets[(*at)++] : NULL;
}

static char *
current_text(const Evaluation *e, const Column *column, HeapTuple row)
{
	bool  isnull;
	Datum value = heap_getattr(row, column->attnum,
							   RelationGetDescr(e->images.rel), &isnull);

	return isnull ? NULL : column_to_text(column, value);
}

/* Prepares the values of a target, with what the columns have now. */
static void
begin_values(Evaluation *e, CancelTarget *c)
{
	MemoryContext caller = MemoryContextSwitchTo(e->context);
	HeapTuple	  row = order_images_row(&e->images, c);

	for (int i = 0; i < e->table->nalso_set; i++)
	{
		AlsoSetValue *set;

		if (e->table->also_set[i].when != e->when)
			continue;
		set = palloc0(sizeof(AlsoSetValue));
		set->column = &e->table->also_set[i].column;
		if (e->when != ALSO_SET_RESTORED)
			set->prior = current_text(e, set->column, row);
		c->also_set = lappend(c->also_set, set);
	}
	MemoryContextSwitchTo(caller);
}

/* As in order_expr.c: how much is evaluated at once. */
#define ROWS_BYTES (1024 * 1024)

/* A PinnedValue: an array of pairs for the next targets. */
static Datum
pairs_array(const Bitmapset *columns, bool *more, void *arg)
{
	Evaluation	 *e = arg;
	Datum		 *pairs = palloc((e->count - e->next_input) * sizeof(Datum));
	Size		  bytes = 0;
	int			  n = 0;
	CancelTarget *c;

	while (bytes < ROWS_BYTES && (c = next_target(e, &e->next_input)) != NULL)
	{
		Datum values[2];
		bool  nulls[2] = {false, false};

		begin_values(e, c);
		values[0] = order_images_datum(&e->images, c, columns);
		values[1] = record_as_row(c, RelationGetDescr(e->records),
								  e->record_attnums);
		pairs[n] = HeapTupleGetDatum(heap_form_tuple(e->pair, values, nulls));
		bytes += VARSIZE_ANY(DatumGetPointer(pairs[n]));
		n++;
	}
	*more = bytes >= ROWS_BYTES;
	return PointerGetDatum(
		construct_array(pairs, n, RECORDOID, -1, false, TYPALIGN_DOUBLE));
}

/* A PinnedRow: stores the values for the next target. */
static void
store_values(TupleTableSlot *row, void *arg)
{
	Evaluation	 *e = arg;
	CancelTarget *c = next_target(e, &e->next_result);
	ListCell	 *lc;

	if (c == NULL)
		elog(ERROR, "values for %s returned too many rows", e->table->label);
	foreach(lc, c->also_set)
	{
		AlsoSetValue *set = lfirst(lc);
		Datum		  value = slot_getattr(row, foreach_current_index(lc) + 1,
										   &set->isnull);

		if (!set->isnull)
			set->value = datumCopy(value, set->column->typbyval,
								   set->column->typlen);
	}
}

static void
open_records(Evaluation *e)
{
	e->records = table_open(config_relation("cancellation"), AccessShareLock);
	if (!record_find_columns(e->record_attnums, cancellation_columns,
							 e->records))
		record_raise_missing("Table ordcancel.cancellation lacks a column.");
	e->pair = CreateTemplateTupleDesc(2);
	TupleDescInitEntry(e->pair, 1, "o", e->images.type, -1, 0);
	TupleDescInitEntry(e->pair, 2, "c", e->records->rd_rel->reltype, -1, 0);
	finalize_tuple_desc(e->pair);
	e->pair = BlessTupleDesc(e->pair);
}

static void
evaluate(Evaluation *e, AlsoSetWhen when)
{
	OrderTable *table = e->table;
	PinnedQuery q = {.sql = query_text(table, when),
					 .functions = table->functions,
					 .type = RECORDARRAYOID,
					 .prepare = coerce_values};

	e->when = when;
	e->next_input = e->next_result = 0;
	if (q.sql == NULL)
		return;
	also_set_check(table, when);
	if (e->records == NULL)
		open_records(e);
	q.complaint = psprintf(
		"a value that also_set() sets in %s for state \"%s\" is no longer valid",
		table->label, also_set_names[when]);
	pinned_run_query(&table->also_set_queries[when], &q, pairs_array,
					 READ_LATEST, store_values, e);
}

static char *
value_text(const AlsoSetValue *set)
{
	return set->isnull ? NULL : column_to_text(set->column, set->value);
}

/*
 * Adds what the columns had before to the record.  If an earlier state has
 * already set a column, which still has that value, its prior value remains.
 */
static void
record_prior_values(CancelTarget *c)
{
	List	 *values = prior_values_read(c->record.prior_values);
	ListCell *lc;

	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);
		PriorValue *value = prior_values_find(values, set->column->name);

		if (value == NULL)
		{
			value = palloc(sizeof(PriorValue));
			value->column = set->column->name;
			value->prior = set->prior;
			values = lappend(values, value);
		}
		else if (!equal_or_both_null(value->written, set->prior))
			value->prior = set->prior;
		value->written = value_text(set);
	}
	if (values)
		c->record.prior_values = prior_values_json(values);
}

/* Is a column set by the rules for ALSO_SET_RESTORED? */
static bool
is_set(const CancelTarget *c, const char *column)
{
	ListCell *lc;

	foreach(lc, c->also_set)
		if (strcmp(((AlsoSetValue *) lfirst(lc))->column->name, column) == 0)
			return true;
	return false;
}

/*
 * Does the column still have the value that was written?  The text of a value
 * can differ if the time zone of attach() has changed.
 */
static bool
is_unchanged(const Column *column, const char *current,
			 const PriorValue *value)
{
	if (current == NULL || value->written == NULL)
		return current == value->written;
	return strcmp(current, value->written) == 0 ||
		strcmp(current,
			   column_to_text(column,
							  column_from_text(column, value->written))) == 0;
}

static void
restore_value(Evaluation *e, CancelTarget *c, const PriorValue *value,
			  HeapTuple row)
{
	Relation	  rel = e->images.rel;
	Column		 *column = palloc0(sizeof(Column));
	AlsoSetValue *set = palloc0(sizeof(AlsoSetValue));
	MemoryContext caller = CurrentMemoryContext;

	order_table_load_column(e->context, rel, column,
							SPI_fnumber(RelationGetDescr(rel), value->column));
	PG_TRY();
	{
		if (is_unchanged(column, current_text(e, column, row), value))
		{
			set->column = column;
			set->isnull = value->prior == NULL;
			if (value->prior)
				set->value = column_from_text(column, value->prior);
			c->also_set = lappend(c->also_set, set);
		}
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(
			caller,
			psprintf(
				"column \"%s\" of order %s of %s cannot get its former value back",
				column->name, text_clip(c->key_text, 80), c->table->label),
			"Say what it gets instead with ordcancel.also_set() for state \"restored\".");
	}
	PG_END_TRY();
}

/* Restores columns for which there is no rule. */
static void
restore_values(Evaluation *e, CancelTarget *c)
{
	List	 *values = prior_values_read(c->record.prior_values);
	HeapTuple row;
	ListCell *lc;

	if (values == NIL)
		return;
	row = order_images_row(&e->images, c);
	foreach(lc, values)
	{
		const PriorValue *value = lfirst(lc);

		if (!is_set(c, value->column) &&
			also_set_fault(e->table, e->images.rel, value->column) == NULL)
			restore_value(e, c, value, row);
	}
}

void
order_also_set(CancelTarget *targets, int count)
{
	OrderTable *table = targets[0].table;
	Evaluation	e = {.table = table,
					 .targets = targets,
					 .count = count,
					 .context = CurrentMemoryContext};
	bool		needed[ALSO_SET_COUNT + 1] = {false};
	bool		restores = false;
	int			nest;

	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		c->also_set = NIL;
		if (c->result != TARGET_OPEN)
			continue;
		c->also_set_when = when_of(c);
		needed[c->also_set_when] = true;
		restores |= c->also_set_when == ALSO_SET_RESTORED &&
			c->record.prior_values;
	}
	if (table->nalso_set == 0 && !restores)
		return;

	order_images_begin(&e.images, table);
	nest = stable_settings_begin(table->time_zone);
	for (int when = 0; when < ALSO_SET_COUNT; when++)
		if (needed[when])
			evaluate(&e, when);
	for (int i = 0; i < count; i++)
		if (targets[i].result != TARGET_OPEN)
			continue;
		else if (targets[i].also_set_when == ALSO_SET_RESTORED)
			restore_values(&e, &targets[i]);
		else if (targets[i].also_set)
			record_prior_values(&targets[i]);
	stable_settings_end(nest);
	if (e.records)
		table_close(e.records, NoLock);
	order_images_end(&e.images);
}
