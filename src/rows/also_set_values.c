/*
 * also_set_values.c — evaluates the values that also_set() sets
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "parser/parse_coerce.h"
#include "parser/parse_collate.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/compat.h"
#include "base/read_snapshot.h"
#include "base/virtual_columns.h"
#include "config/also_set.h"
#include "config/expression.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"
#include "rows/also_set_values.h"
#include "rows/prior_values.h"
#include "rows/record_columns.h"
#include "rows/record_rows.h"

/* The values of one AlsoSetWhen. */
typedef struct Evaluation
{
	AlsoSetRun	   *run;
	OrderTable	   *table;
	AlsoSetWhen		when;
	int				next_input;	 /* the next target to pass to the query */
	int				next_result; /* the next target to get a result */
	Relation		records;	 /* ordcancel.cancellation, if opened */
	RecordMap		map;		 /* of its columns */
	TupleTableSlot *record;		 /* a row of it */
	TupleDesc		pair;		 /* of an order's row and a record */
} Evaluation;

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
	const AlsoSetRun *run = e->run;

	while (*at < run->count &&
		   (run->targets[*at].result != TARGET_OPEN ||
			run->targets[*at].also_set_when != e->when))
		(*at)++;
	return *at < run->count ? &run->targets[(*at)++] : NULL;
}

/* Prepares the values of a target, with what the columns have now. */
static void
begin_values(Evaluation *e, CancelTarget *c, HeapTuple row)
{
	MemoryContext caller = MemoryContextSwitchTo(e->run->context);

	for (int i = 0; i < e->table->nalso_set; i++)
	{
		AlsoSetValue *set;

		if (e->table->also_set[i].when != e->when)
			continue;
		set = palloc0(sizeof(AlsoSetValue));
		set->column = &e->table->also_set[i].column;
		if (e->when != ALSO_SET_RESTORED)
			set->prior = also_set_current(e->run, set->column, row);
		c->also_set = lappend(c->also_set, set);
	}
	MemoryContextSwitchTo(caller);
}

static void
store_value(const Evaluation *e, AlsoSetValue *set, Datum value, bool isnull)
{
	MemoryContext caller = MemoryContextSwitchTo(e->run->context);

	set->isnull = isnull;
	if (!isnull)
		set->value = datumCopy(value, set->column->typbyval,
							   set->column->typlen);
	MemoryContextSwitchTo(caller);
}

/* As in order_expr.c: how much is evaluated at once. */
#define ROWS_BYTES (1024 * 1024)

/* A PinnedValue: an array of pairs for the next targets. */
static Datum
pairs_array(const Bitmapset *columns, bool *more, void *arg)
{
	Evaluation	 *e = arg;
	OrderImages	 *images = also_set_images(e->run);
	Datum		 *pairs;
	Size		  bytes = 0;
	int			  n = 0;
	CancelTarget *c;

	pairs = palloc((e->run->count - e->next_input) * sizeof(Datum));
	while (bytes < ROWS_BYTES && (c = next_target(e, &e->next_input)) != NULL)
	{
		Datum values[2];
		bool  nulls[2] = {false, false};

		begin_values(e, c, order_images_row(images, c));
		record_as_row(c, &e->map, e->record);
		values[0] = order_images_datum(images, c, columns);
		values[1] = ExecFetchSlotHeapTupleDatum(e->record);
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
		bool  isnull;
		Datum value = slot_getattr(row, foreach_current_index(lc) + 1,
								   &isnull);

		store_value(e, lfirst(lc), value, isnull);
	}
}

static void
run_query(Evaluation *e, const PinnedQuery *q)
{
	e->pair = CreateTemplateTupleDesc(2);
	TupleDescInitEntry(e->pair, 1, "o", also_set_images(e->run)->type, -1, 0);
	TupleDescInitEntry(e->pair, 2, "c", e->records->rd_rel->reltype, -1, 0);
	finalize_tuple_desc(e->pair);
	e->pair = BlessTupleDesc(e->pair);
	also_set_use_settings(e->run);
	pinned_run_query(&e->table->also_set_queries[e->when].pinned, q,
					 pairs_array, READ_LATEST, store_values, e);
}

/*
 * The value that a constant is, or a column of the record, as its number in
 * cancellation_columns; -1 if it is another expression.
 */
static int
record_column_of(const Evaluation *e, const Node *value)
{
	const Var *var;

	while (IsA(value, RelabelType))
		value = (const Node *) ((const RelabelType *) value)->arg;
	if (!IsA(value, Var))
		return -1;
	var = (const Var *) value;
	for (int i = 0; var->varno == INNER_VAR && i < CANCELLATION_COLUMNS; i++)
		if (e->map.attnums[i] == var->varattno)
			return i;
	return -1;
}

/*
 * Takes values that are constants or columns of the record, as most are, from
 * where they are.  Returns false if there are others.
 */
static bool
take_values(Evaluation *e, List *values)
{
	int			 *columns = palloc(list_length(values) * sizeof(int));
	uint64		  wanted = 0;
	CancelTarget *c;
	ListCell	 *lc;
	ListCell	 *set;

	foreach(lc, values)
	{
		int column = record_column_of(e, lfirst(lc));

		if (column < 0 && !IsA(lfirst(lc), Const))
			return false;
		columns[foreach_current_index(lc)] = column;
		if (column >= 0)
			wanted |= UINT64CONST(1) << column;
	}
	while ((c = next_target(e, &e->next_input)) != NULL)
	{
		Parameters p;

		begin_values(e, c, also_set_row(e->run, c));
		record_columns_of(c, wanted, &p);
		forboth(lc, values, set, c->also_set)
		{
			int column = columns[foreach_current_index(lc)];

			if (column < 0)
			{
				const Const *constant = lfirst_node(Const, lc);

				store_value(e, lfirst(set), constant->constvalue,
							constant->constisnull);
			}
			else
				store_value(e, lfirst(set), p.values[column],
							p.nulls[column] == 'n');
		}
	}
	return true;
}

/* To start a query takes longer than to evaluate a few expressions. */
static void
run_expressions(Evaluation *e, List *values)
{
	OrderImages	   *images = also_set_images(e->run);
	EState		   *estate = CreateExecutorState();
	ExprContext	   *context = CreateExprContext(estate);
	List		   *states;
	TupleTableSlot *row = MakeSingleTupleTableSlot(RelationGetDescr(
													   images->rel),
												   &TTSOpsHeapTuple);
	CancelTarget   *c;
	ListCell	   *lc;
	ListCell	   *set;

	(void) MemoryContextSwitchTo(estate->es_query_cxt);
	states = ExecInitExprList(values, NULL); /* they are planned */
	(void) MemoryContextSwitchTo(e->run->context);
	context->ecxt_innertuple = e->record;
	context->ecxt_outertuple = row;
	read_snapshot_push(READ_LATEST);
	while ((c = next_target(e, &e->next_input)) != NULL)
	{
		HeapTuple tuple = order_images_row(images, c);

		begin_values(e, c, tuple);
		record_as_row(c, &e->map, e->record);
		ExecStoreHeapTuple(virtual_columns_computed(tuple, images->rel), row,
						   false);
		forboth(lc, states, set, c->also_set)
		{
			bool  isnull;
			Datum value = ExecEvalExprSwitchContext(lfirst(lc), context,
													&isnull);

			store_value(e, lfirst(set), value, isnull);
		}
		ResetExprContext(context);
	}
	PopActiveSnapshot();
	ExecDropSingleTupleTableSlot(row);
	FreeExecutorState(estate);
}

void
also_set_evaluate(AlsoSetRun *run, AlsoSetWhen when)
{
	OrderTable	 *table = run->table;
	AlsoSetQuery *query = &table->also_set_queries[when];
	RecordKeys	  no_keys = {.serial = 1};
	Evaluation	  e = {.run = run, .table = table, .when = when};
	PinnedQuery	  q = {.sql = query->sql,
					   .functions = table->functions,
					   .type = RECORDARRAYOID,
					   .complaint = query->complaint,
					   .prepare = coerce_values};
	List		 *values;
	bool		  immutable;

	if (q.sql == NULL)
		return;
	also_set_check(table, when);
	values = pinned_values(&query->pinned, &q, &immutable, &e);
	if (!immutable)
		also_set_use_settings(run);
	if (values && record_map_known(&e.map, &no_keys, table->cancellations) &&
		take_values(&e, values))
		return;
	e.records = table_open(table->cancellations, AccessShareLock);
	record_map(&e.map, cancellation_columns, &no_keys, e.records);
	e.record = MakeSingleTupleTableSlot(RelationGetDescr(e.records),
										&TTSOpsVirtual);
	if (values)
		run_expressions(&e, values);
	else
		run_query(&e, &q);
	ExecDropSingleTupleTableSlot(e.record);
	table_close(e.records, NoLock);
}
