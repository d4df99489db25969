/*
 * child_row.c — evaluates expressions over rows of child tables
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/stable_settings.h"
#include "base/text.h"
#include "base/virtual_columns.h"
#include "config/expression.h"
#include "config/pinned_query.h"
#include "decision/refusal.h"
#include "rows/child_row.h"
#include "rows/partition_map.h"
#include "rows/record.h"

void
child_row_init(ChildRow *row, Relation child, Relation written,
			   HeapTuple tuple)
{
	TupleConversionMap *map = NULL;

	row->rel = child;
	row->row = virtual_columns_computed(tuple, written);
	if (RelationGetRelid(written) != RelationGetRelid(child))
		map = partition_map(written, child);
	if (map)
		row->row = execute_attr_map_tuple(row->row, map);
}

static bool
column_same(const ChildRow *a, const ChildRow *b, AttrNumber attnum)
{
	TupleDesc		  desc = RelationGetDescr(a->rel);
	Form_pg_attribute att = TupleDescAttr(desc, attnum - 1);
	bool			  a_null;
	bool			  b_null;
	Datum			  a_value = heap_getattr(a->row, attnum, desc, &a_null);
	Datum			  b_value = heap_getattr(b->row, attnum, desc, &b_null);

	return a_null == b_null &&
		(a_null ||
		 datum_image_eq(a_value, b_value, att->attbyval, att->attlen));
}

/* The number 0 stands for the whole row. */
static bool
columns_same(const ChildRow *a, const ChildRow *b, const Bitmapset *columns)
{
	TupleDesc desc = RelationGetDescr(a->rel);

	for (int i = 1; i <= desc->natts; i++)
		if (!TupleDescAttr(desc, i - 1)->attisdropped &&
			(bms_is_member(0, columns) || bms_is_member(i, columns)) &&
			!column_same(a, b, i))
			return false;
	return true;
}

static bool
expression_same_input(const ChildExpression *expression, const ChildRow *a,
					  const ChildRow *b)
{
	const Bitmapset *columns = pinned_columns(expression->query);

	return expression->text == NULL ||
		(columns && columns_same(a, b, columns));
}

static AttrNumber
key_column(const ChildGuard *guard, const ChildRow *row, int i)
{
	int attnum = SPI_fnumber(RelationGetDescr(row->rel),
							 guard->key_columns[i]);

	if (attnum <= 0)
		refusal_raise_invalid_policy(
			psprintf(
				"table \"%s\" no longer has the columns for the key of %s",
				RelationGetRelationName(row->rel),
				relation_label(guard->orders)),
			psprintf("Guard \"%s\" reads column \"%s\".",
					 text_clip(guard->name, 80), guard->key_columns[i]),
			"Call ordcancel.attach_child() again.");
	return attnum;
}

bool
child_row_same_input(const ChildGuard *guard, const ChildRow *a,
					 const ChildRow *b)
{
	for (int i = 0; i < guard->nkeys; i++)
		if (!column_same(a, b, key_column(guard, a, i)))
			return false;
	return expression_same_input(&guard->refuse_when, a, b) &&
		expression_same_input(&guard->key, a, b);
}

/* An evaluation of an expression on one row. */
typedef struct Evaluation
{
	const ChildRow *row;
	Datum			value;
	bool			isnull;
	Oid				type;
	int				columns; /* of the result */
} Evaluation;

/*
 * A PinnedValue: an array of the row.  All columns that the expression does not
 * use are null, so that they are not detoasted.
 */
static Datum
row_array(const Bitmapset *columns, bool *more, void *arg)
{
	const ChildRow *row = ((Evaluation *) arg)->row;
	TupleDesc		desc = RelationGetDescr(row->rel);
	Datum		   *values = palloc0(desc->natts * sizeof(Datum));
	bool		   *nulls = palloc(desc->natts * sizeof(bool));
	Datum			copy;

	*more = false;
	for (int i = 0; i < desc->natts; i++)
	{
		nulls[i] = row->row == NULL || TupleDescAttr(desc, i)->attisdropped ||
			!(bms_is_member(0, columns) || bms_is_member(i + 1, columns));
		if (!nulls[i])
			values[i] = heap_getattr(row->row, i + 1, desc, &nulls[i]);
	}
	copy = HeapTupleGetDatum(heap_form_tuple(desc, values, nulls));
	return PointerGetDatum(construct_array(&copy, row->row ? 1 : 0,
										   row->rel->rd_rel->reltype, -1,
										   false, TYPALIGN_DOUBLE));
}

/* A PinnedRow: stores a copy of the result. */
static void
store_result(TupleTableSlot *slot, void *arg)
{
	Evaluation		 *e = arg;
	TupleDesc		  desc = slot->tts_tupleDescriptor;
	Form_pg_attribute att = TupleDescAttr(desc, 0);

	e->columns = desc->natts;
	e->type = att->atttypid;
	e->value = slot_getattr(slot, 1, &e->isnull);
	if (!e->isnull)
		e->value = datumCopy(e->value, att->attbyval, att->attlen);
}

static void
evaluate(const ChildGuard *guard, ChildExpression *expression,
		 const char *cast, Evaluation *e)
{
	Oid type = e->row->rel->rd_rel->reltype;
	int nest = stable_settings_begin(guard->time_zone);

	/* The newline ends a "--" comment in the expression. */
	pinned_run(
		&expression->query,
		psprintf("SELECT (%s\n)%s FROM pg_catalog.unnest($1) AS " PINNED_ROW,
				 expression->text, cast),
		expression->functions, get_array_type(type), row_array, READ_LATEST,
		psprintf("guard \"%s\" of child table %s is no longer valid",
				 text_clip(guard->name, 80),
				 relation_label(RelationGetRelid(e->row->rel))),
		store_result, e);
	stable_settings_end(nest);
}

void
child_row_try(const ChildGuard *guard, Relation rel, char *pinned,
			  char *functions)
{
	ChildExpression expression = {.text = pinned, .functions = functions};
	ChildRow		no_row = {.rel = rel};
	Evaluation		e = {.row = &no_row};

	PG_TRY();
	{
		evaluate(guard, &expression, "", &e);
	}
	PG_CATCH();
	{
		pinned_forget(&expression.query);
		PG_RE_THROW();
	}
	PG_END_TRY();
	pinned_forget(&expression.query);
}

bool
child_row_condition(ChildGuard *guard, const ChildRow *row)
{
	Evaluation e = {.row = row, .isnull = true};

	evaluate(guard, &guard->refuse_when, "::pg_catalog.bool", &e);
	return !e.isnull && DatumGetBool(e.value);
}

/* In a PG_CATCH: says what a key_expression must not do. */
pg_noreturn static void
rethrow_several(const ChildGuard *guard, const ChildRow *row,
				MemoryContext caller)
{
	ErrorData *error;

	MemoryContextSwitchTo(caller);
	error = CopyErrorData();
	if (error->sqlerrcode != ERRCODE_CARDINALITY_VIOLATION)
		PG_RE_THROW();
	FlushErrorState();
	ereport(
		ERROR,
		(errcode(ERRCODE_CARDINALITY_VIOLATION),
		 errmsg(
			 "key_expression of guard \"%s\" of child table %s found several orders for a row",
			 text_clip(guard->name, 80),
			 relation_label(RelationGetRelid(row->rel))),
		 errdetail("The expression failed with: %s.",
				   text_clip(error->message, 400)),
		 errhint(
			 "It must return one order. "
			 "Pass the table that joins rows and orders to ordcancel.attach_child() instead.")));
}

static void
evaluate_key(ChildGuard *guard, const ChildRow *row, Evaluation *e)
{
	MemoryContext caller = CurrentMemoryContext;

	PG_TRY();
	{
		evaluate(guard, &guard->key, "", e);
	}
	PG_CATCH();
	{
		rethrow_several(guard, row, caller);
	}
	PG_END_TRY();
}

void
child_row_key(ChildGuard *guard, const ChildRow *row, ChildKey *key)
{
	Evaluation e = {.row = row, .isnull = true, .columns = 1};
	TupleDesc  desc = RelationGetDescr(row->rel);
	bool	   isnull;

	key->known = true;
	key->count = guard->nkeys;
	for (int i = 0; i < guard->nkeys; i++)
	{
		AttrNumber attnum = key_column(guard, row, i);

		key->types[i] = TupleDescAttr(desc, attnum - 1)->atttypid;
		key->values[i] = heap_getattr(row->row, attnum, desc, &isnull);
		key->known &= !isnull;
	}
	if (guard->key.text == NULL)
		return;
	evaluate_key(guard, row, &e);
	if (e.columns != 1)
		refusal_raise_invalid_policy(
			psprintf(
				"key_expression of guard \"%s\" of child table %s returned %d columns",
				text_clip(guard->name, 80),
				relation_label(RelationGetRelid(row->rel)), e.columns),
			NULL, "A key of several columns is ROW(a, b).");
	key->count = 1;
	key->types[0] = e.type;
	key->values[0] = e.value;
	key->known = !e.isnull;
}
