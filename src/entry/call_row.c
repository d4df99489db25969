/*
 * call_row.c — a row of a table of calls on its way through the trigger
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"

#include "base/compat.h"
#include "decision/refusal.h"
#include "entry/call_row.h"

const CallColumn call_answers[ANSWER_COUNT] = {
	[ANSWER_STATE] = {"state", TEXTOID},
	[ANSWER_ORDER_STATUS] = {"order_status", TEXTOID},
	[ANSWER_CHANGED] = {"changed", BOOLOID},
	[ANSWER_REFUNDED] = {"refunded", NUMERICOID},
	[ANSWER_REQUESTED_AT] = {"requested_at", TIMESTAMPTZOID},
	[ANSWER_DECIDED_AT] = {"decided_at", TIMESTAMPTZOID},
	[ANSWER_CLOSED_AT] = {"closed_at", TIMESTAMPTZOID},
	[ANSWER_RESULTS] = {"results", JSONBOID},
	[ANSWER_SQLSTATE] = {"sqlstate", TEXTOID},
	[ANSWER_MESSAGE] = {"message", TEXTOID},
	[ANSWER_DETAIL] = {"detail", TEXTOID},
	[ANSWER_HINT] = {"hint", TEXTOID},
};

int
call_column(const CallRow *c, const char *name, Oid type)
{
	int attnum = SPI_fnumber(c->desc, name);

	if (attnum <= 0)
		return 0;
	if (TupleDescAttr(c->desc, attnum - 1)->atttypid != type)
		refusal_raise_invalid_policy(
			psprintf("column \"%s\" of table of calls \"%s\" is of type %s",
					 name, RelationGetRelationName(c->rel),
					 format_type_be(
						 TupleDescAttr(c->desc, attnum - 1)->atttypid)),
			psprintf("It must be of type %s.", format_type_be(type)), NULL);
	return attnum;
}

int
call_need_column(const CallRow *c, const char *name, Oid type)
{
	int attnum = call_column(c, name, type);

	if (attnum == 0)
		refusal_raise_invalid_policy(
			psprintf("table of calls \"%s\" has no column \"%s\"",
					 RelationGetRelationName(c->rel), name),
			NULL,
			"Drop the table, and call ordcancel.make_call_table() again.");
	return attnum;
}

void
call_set(CallRow *c, int attnum, Datum value, bool isnull)
{
	if (attnum == 0)
		return;
	c->values[attnum - 1] = value;
	c->nulls[attnum - 1] = isnull;
}

char *
call_text(const CallRow *c, int attnum)
{
	return attnum == 0 || c->nulls[attnum - 1] ?
		NULL :
		TextDatumGetCString(c->values[attnum - 1]);
}

void
call_find_keys(CallRow *c)
{
	c->keys = palloc(c->table->nkeys * sizeof(int));
	for (int i = 0; i < c->table->nkeys; i++)
	{
		c->keys[i] = SPI_fnumber(c->desc, c->table->keys[i]);
		if (c->keys[i] <= 0)
			call_need_column(c, c->table->keys[i], InvalidOid);
	}
}

Oid
call_key_type(const CallRow *c, int i)
{
	return TupleDescAttr(c->desc, c->keys[i] - 1)->atttypid;
}

/* The order's key as a row. */
static TupleDesc
key_desc(const CallRow *c)
{
	TupleDesc desc = CreateTemplateTupleDesc(c->table->nkeys);

	for (int i = 0; i < c->table->nkeys; i++)
		TupleDescCopyEntry(desc, i + 1, c->desc, c->keys[i]);
	finalize_tuple_desc(desc);
	return BlessTupleDesc(desc);
}

static Datum
first_key(const CallRow *c, ArrayType *keys)
{
	Datum *values;
	bool  *nulls;
	int	   count;

	deconstruct_array(keys, TEXTOID, -1, false, TYPALIGN_INT, &values, &nulls,
					  &count);
	if (count == 0 || nulls[0])
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("order_ids names no order")));
	return values[0];
}

void
call_complete_set(CallRow *c)
{
	int		  ids = call_need_column(c, call_arguments[CALL_ORDER_IDS].name,
									 TEXTARRAYOID);
	int		  nkeys = c->table->nkeys;
	bool	  lacks_key = false;
	TupleDesc desc;

	for (int i = 0; i < nkeys; i++)
		lacks_key |= c->nulls[c->keys[i] - 1];
	if (lacks_key && c->nulls[ids - 1])
		return; /* refused by NOT NULL */
	desc = nkeys > 1 ? key_desc(c) : NULL;
	if (c->nulls[ids - 1])
	{
		Datum *values = palloc(nkeys * sizeof(Datum));
		bool  *nulls = palloc0(nkeys * sizeof(bool));
		char  *given;
		Datum  element;

		for (int i = 0; i < nkeys; i++)
			values[i] = c->values[c->keys[i] - 1];
		if (desc)
			given = OidOutputFunctionCall(
				F_RECORD_OUT,
				HeapTupleGetDatum(heap_form_tuple(desc, values, nulls)));
		else
		{
			Oid	 output;
			bool varlena;

			getTypeOutputInfo(call_key_type(c, 0), &output, &varlena);
			given = OidOutputFunctionCall(output, values[0]);
		}
		element = CStringGetTextDatum(given);
		call_set(c, ids,
				 PointerGetDatum(construct_array(&element, 1, TEXTOID, -1,
												 false, TYPALIGN_INT)),
				 false);
	}
	else if (lacks_key)
	{
		char *given = TextDatumGetCString(
			first_key(c, DatumGetArrayTypeP(c->values[ids - 1])));

		if (desc)
		{
			HeapTupleHeader header = DatumGetHeapTupleHeader(
				OidInputFunctionCall(F_RECORD_IN, given, RECORDOID,
									 desc->tdtypmod));
			HeapTupleData row = {.t_len = HeapTupleHeaderGetDatumLength(
									 header),
								 .t_data = header};

			for (int i = 0; i < nkeys; i++)
				c->values[c->keys[i] - 1] = heap_getattr(
					&row, i + 1, desc, &c->nulls[c->keys[i] - 1]);
		}
		else
		{
			Oid input;
			Oid parameter;

			getTypeInputInfo(call_key_type(c, 0), &input, &parameter);
			call_set(c, c->keys[0],
					 OidInputFunctionCall(
						 input, given, parameter,
						 TupleDescAttr(c->desc, c->keys[0] - 1)->atttypmod),
					 false);
		}
	}
}
