/*
 * virtual_columns.c — computes virtual generated columns
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/executor.h"
#include "rewrite/rewriteHandler.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/virtual_columns.h"

#ifdef ATTRIBUTE_GENERATED_VIRTUAL

static void
compute(Relation rel, HeapTuple row, Datum *values, bool *nulls)
{
	TupleDesc		desc = RelationGetDescr(rel);
	EState		   *estate = CreateExecutorState();
	ExprContext	   *econtext = GetPerTupleExprContext(estate);
	TupleTableSlot *slot = MakeSingleTupleTableSlot(desc, &TTSOpsHeapTuple);
	MemoryContext	caller = CurrentMemoryContext;

	ExecStoreHeapTuple(row, slot, false);
	econtext->ecxt_scantuple = slot;
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute att = TupleDescAttr(desc, i);
		Expr			 *expression;
		Datum			  value;

		if (att->attisdropped || !column_is_virtual(att))
			continue;
		expression = (Expr *) build_generation_expression(rel, i + 1);
		value = ExecEvalExprSwitchContext(ExecPrepareExpr(expression, estate),
										  econtext, &nulls[i]);
		MemoryContextSwitchTo(caller);
		if (!nulls[i])
			values[i] = datumCopy(value, att->attbyval, att->attlen);
	}
	ExecDropSingleTupleTableSlot(slot);
	FreeExecutorState(estate);
}

HeapTuple
virtual_columns_computed(HeapTuple row, Relation rel)
{
	TupleDesc desc = RelationGetDescr(rel);
	Datum	 *values;
	bool	 *nulls;
	HeapTuple computed;

	if (desc->constr == NULL || !desc->constr->has_generated_virtual)
		return row;
	values = palloc(desc->natts * sizeof(Datum));
	nulls = palloc(desc->natts * sizeof(bool));
	heap_deform_tuple(row, desc, values, nulls);
	compute(rel, row, values, nulls);
	computed = heap_form_tuple(desc, values, nulls);
	computed->t_self = row->t_self;
	computed->t_tableOid = row->t_tableOid;
	return computed;
}

#else

HeapTuple
virtual_columns_computed(HeapTuple row, Relation rel)
{
	return row;
}

#endif
