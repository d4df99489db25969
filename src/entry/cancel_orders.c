/*
 * cancel_orders.c — cancel_orders: cancels an array of orders
 *
 * The rows of the result are in the order of the array.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "funcapi.h"
#include "miscadmin.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"
#include "utils/tuplestore.h"

#include "base/result_row.h"
#include "base/subxact.h"
#include "base/text.h"
#include "entry/args.h"
#include "entry/cancel_orders.h"
#include "entry/roles.h"
#include "rows/order_key.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_cancel_orders);

/* Continues at o->reading, the entry to which an error belongs. */
static void
read_keys(void *arg)
{
	OrderSet	*o = arg;
	CancelTarget c = {.table = o->table};

	for (; o->reading < o->count; o->reading++)
	{
		OrderEntry *entry = &o->entries[o->reading];

		args_read_key(&c, entry->value, entry->isnull, o->type);
		entry->key = c.key;
		entry->readable = true;
		if (order_key_is_call_key(o->table, entry->value, entry->isnull,
								  o->type))
			entry->order_id = order_key_given(entry->value, false, o->type);
	}
}

static void
read_all_keys(OrderSet *o)
{
	ErrorData *error;

	if (o->abort)
	{
		read_keys(o);
		return;
	}
	while ((error = subxact_try(read_keys, o)) != NULL)
	{
		Refusal refusal = refusal_of_error(error);

		CHECK_FOR_INTERRUPTS();
		cancel_orders_refuse(o, &o->entries[o->reading], &refusal);
		o->reading++;
	}
}

static void
copy_result(OrderEntry *entry)
{
	const OrderEntry *first = entry->duplicate_of;

	entry->outcome = strcmp(first->outcome, "refused") == 0 ? "refused" :
															  "already";
	entry->order_id = first->order_id;
	entry->has_id = first->has_id;
	entry->cancellation_id = first->cancellation_id;
	entry->sqlstate = first->sqlstate;
	entry->message = first->message;
}

/* The columns of the result. */
enum
{
	ANSWER_ORDER_ID,
	ANSWER_OUTCOME,
	ANSWER_CANCELLATION_ID,
	ANSWER_SQLSTATE,
	ANSWER_MESSAGE,
};

static const ResultColumn answer_columns[] = {
	[ANSWER_ORDER_ID] = {"order_id", TEXTOID},
	[ANSWER_OUTCOME] = {"outcome", TEXTOID},
	[ANSWER_CANCELLATION_ID] = {"cancellation_id", INT8OID},
	[ANSWER_SQLSTATE] = {"sqlstate", TEXTOID},
	[ANSWER_MESSAGE] = {"message", TEXTOID},
};

static void
put_entry(ResultRow *row, const OrderEntry *entry)
{
	result_row_clear(row);
	result_row_text(row, ANSWER_ORDER_ID, entry->order_id);
	result_row_text(row, ANSWER_OUTCOME, entry->outcome);
	result_row_set(row, ANSWER_CANCELLATION_ID,
				   Int64GetDatum(entry->cancellation_id), !entry->has_id);
	if (strcmp(entry->outcome, "refused") == 0)
	{
		result_row_text(row, ANSWER_SQLSTATE,
						unpack_sql_state(entry->sqlstate));
		result_row_text(row, ANSWER_MESSAGE, entry->message);
	}
}

static void
read_array(OrderSet *o, ArrayType *array)
{
	int16  length;
	bool   byval;
	char   align;
	Datum *values;
	bool  *nulls;

	o->type = ARR_ELEMTYPE(array);
	get_typlenbyvalalign(o->type, &length, &byval, &align);
	deconstruct_array(array, o->type, length, byval, align, &values, &nulls,
					  &o->count);
	o->entries = palloc0(Max(o->count, 1) * sizeof(OrderEntry));
	for (int i = 0; i < o->count; i++)
	{
		o->entries[i].value = values[i];
		o->entries[i].isnull = nulls[i];
	}
}

/* An untyped literal or driver parameter comes as text. */
static ArrayType *
array_argument(FunctionCallInfo fcinfo, int arg)
{
	if (args_type(fcinfo, arg) != TEXTOID)
		return PG_GETARG_ARRAYTYPE_P(arg);
	return DatumGetArrayTypeP(
		OidInputFunctionCall(F_ARRAY_IN, args_text(fcinfo, arg), TEXTOID, -1));
}

/* Reads on_error. */
static bool
on_error_argument(FunctionCallInfo fcinfo, int arg)
{
	char *value = args_text(fcinfo, arg);

	if (value && strcmp(value, "abort") == 0)
		return true;
	if (value == NULL || strcmp(value, "skip") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("on_error must be \"skip\" or \"abort\""),
				 errdetail("The value is %s.",
						   value ? psprintf("\"%s\"", text_clip(value, 80)) :
								   "null")));
	return false;
}

/* (orders, order_ids, reason, note, actor, on_error, metadata) */
Datum
ordcancel_cancel_orders(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	OrderSet	   o = {.context = CurrentMemoryContext};
	ResultRow	   row;

	role_must_be_merchant("cancel_orders");
	InitMaterializedSRF(fcinfo, 0);
	o.table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), RowExclusiveLock);
	o.args.verb = VERB_CANCEL_ORDER;
	o.args.party = PARTY_MERCHANT;
	o.args.source = "cancel_orders";
	o.args.reason = args_text(fcinfo, 2);
	o.args.note = args_text(fcinfo, 3);
	o.args.actor = args_actor(fcinfo, 4);
	o.abort = on_error_argument(fcinfo, 5);
	args_metadata(fcinfo, 6, &o.args);
	PreventCommandIfReadOnly("cancel_orders()");
	visibility_check_select(o.table);
	if (PG_ARGISNULL(1))
		return (Datum) 0;

	read_array(&o, array_argument(fcinfo, 1));
	read_all_keys(&o);
	cancel_orders_run(&o);
	result_row_begin(&row, result->setDesc, answer_columns,
					 lengthof(answer_columns));
	for (int i = 0; i < o.count; i++)
	{
		if (o.entries[i].duplicate_of)
			copy_result(&o.entries[i]);
		put_entry(&row, &o.entries[i]);
		tuplestore_putvalues(result->setResult, row.desc, row.values,
							 row.nulls);
	}
	return (Datum) 0;
}
