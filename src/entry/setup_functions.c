/*
 * setup_functions.c — what the configuration functions need C for
 *
 * The PL/pgSQL functions run as the owner of the extension (setup_gate.c), and
 * must not run code of others there.  So the functions below read statuses and
 * check expressions as the owner of the order table.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/inheritance.h"
#include "base/stable_settings.h"
#include "base/text.h"
#include "base/trigger_call.h"
#include "config/also_set.h"
#include "config/child_table.h"
#include "config/config_table.h"
#include "config/expression.h"
#include "config/order_table_columns.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/archive_records.h"
#include "entry/args.h"
#include "rows/child_row.h"
#include "rows/column_value.h"
#include "rows/record.h"

PG_FUNCTION_INFO_V1(ordcancel_as_owner);
PG_FUNCTION_INFO_V1(ordcancel_config_changed);
PG_FUNCTION_INFO_V1(ordcancel_is_record_table);
PG_FUNCTION_INFO_V1(ordcancel_read_status);
PG_FUNCTION_INFO_V1(ordcancel_read_item_status);
PG_FUNCTION_INFO_V1(ordcancel_pin_expression);
PG_FUNCTION_INFO_V1(ordcancel_pin_item_expression);
PG_FUNCTION_INFO_V1(ordcancel_expression_columns);
PG_FUNCTION_INFO_V1(ordcancel_pin_child_expression);
PG_FUNCTION_INFO_V1(ordcancel_pin_also_set);

/* A search for a table among the record tables. */
typedef struct RecordSearch
{
	Oid	 relid;
	bool found;
} RecordSearch;

static void
match_record_table(HeapTuple row, TupleDesc desc, void *arg)
{
	static const char *const columns[] = {"cancellation_table", "event_table",
										  "item_records", "records"};
	RecordSearch			*search = arg;

	for (int i = 0; i < lengthof(columns); i++)
	{
		int column = SPI_fnumber(desc, columns[i]);

		if (column > 0 && config_oid(row, desc, column) == search->relid)
			search->found = true;
	}
}

static bool
is_record_table(Oid relid)
{
	RecordSearch search = {relid, false};

	(void) config_scan("order_table", InvalidOid, match_record_table, &search);
	(void) config_scan_detached(match_record_table, &search);
	return search.found;
}

/*
 * Is it, or was it, a record table of an order table, or an archive of one?
 * Looks at what is committed now, not at the transaction's snapshot.
 */
Datum
ordcancel_is_record_table(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);
	Oid parent;

	if (archive_drop_is_ours(relid))
		PG_RETURN_BOOL(false);
	if (is_record_table(relid))
		PG_RETURN_BOOL(true);
	parent = inheritance_parent_of_dropped(relid);
	PG_RETURN_BOOL(OidIsValid(parent) && is_record_table(parent));
}

/* Invalidates what backends have cached from a row of the configuration. */
static void
invalidate_row(Relation config, HeapTuple row)
{
	static const char *const columns[] = {"orders", "items", "child",
										  "call_table"};
	TupleDesc				 desc = RelationGetDescr(config);

	/* reason and refund_method have caches of their own */
	if (SPI_fnumber(desc, "orders") <= 0)
		CacheInvalidateRelcache(config);
	for (int i = 0; i < lengthof(columns); i++)
	{
		int column = SPI_fnumber(desc, columns[i]);
		Oid relid = column > 0 ? config_oid(row, desc, column) : InvalidOid;

		if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
			CacheInvalidateRelcacheByRelid(relid);
	}
}

/* AFTER trigger on the configuration tables, per row and for TRUNCATE. */
Datum
ordcancel_config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = trigger_call(fcinfo);

	if (!TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
		CacheInvalidateRelcacheAll(); /* TRUNCATE names no rows */
	else
	{
		invalidate_row(trigger->tg_relation, trigger->tg_trigtuple);
		if (TRIGGER_FIRED_BY_UPDATE(trigger->tg_event))
			invalidate_row(trigger->tg_relation, trigger->tg_newtuple);
	}
	return PointerGetDatum(NULL);
}

/* The text as the column prints it; OC014 if the column cannot hold it. */
static char *
read_status(OrderTable *table, const Column *column, const char *label,
			const char *status)
{
	MemoryContext caller = CurrentMemoryContext;
	RunAsScope	  scope;
	char		 *complaint;
	char *volatile written = NULL;

	complaint = psprintf("\"%s\" is not a status of %s", text_clip(status, 80),
						 label);
	run_as_owner_restricted(&scope, table);
	PG_TRY();
	{
		written = column_to_text(column, column_from_text(column, status));
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	run_as_end(&scope);
	return written;
}

/*
 * read_status(orders, status): the status as the status column prints it.
 * Raises OC014 if the column cannot hold it.
 */
Datum
ordcancel_read_status(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0),
								   AccessShareLock);
	char	   *status = args_text(fcinfo, 1);

	if (status == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(
		read_status(table, &table->status, table->label, status)));
}

/* read_item_status(orders, items, column, status): the same for an item. */
Datum
ordcancel_read_item_status(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	Relation	rel = table_open(PG_GETARG_OID(1), AccessShareLock);
	OrderTable	here = {.context = CurrentMemoryContext};
	Column		column = {0};
	char	   *written;

	here.label = relation_label(RelationGetRelid(rel));
	order_table_load_named_column(&here, rel, &column,
								  NameStr(*PG_GETARG_NAME(2)));
	written = read_status(table, &column, here.label,
						  text_to_cstring(PG_GETARG_TEXT_PP(3)));
	table_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(written));
}

/*
 * The expression as expression_pin() returns it, or the functions it calls.
 * InvalidOid stands for an order and the record of its cancellation.
 */
static char *
pin_expression(OrderTable *table, Oid relid, const char *label,
			   const char *expression, Oid type, bool functions)
{
	MemoryContext caller = CurrentMemoryContext;
	char *complaint = psprintf("expression over %s cannot be used: %s", label,
							   text_clip(expression, 80));
	RunAsScope scope;
	char *volatile pinned = NULL;
	char *called = NULL;

	if (get_typtype(type) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", type)));

	run_as_owner_restricted(&scope, table);
	PG_TRY();
	{
		pinned = OidIsValid(relid) ?
			expression_pin(table->time_zone, relid, expression, type,
						   &called) :
			expression_pin_with_record(table, expression, type, &called);
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	run_as_end(&scope);
	return functions ? called : pinned;
}

/*
 * pin_expression(orders, expression, type, functions): the expression with
 * all names qualified, or with "functions" those that it calls; see
 * expression_pin.  Raises OC014 if it is not valid for the table.
 */
Datum
ordcancel_pin_expression(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0),
								   AccessShareLock);

	PG_RETURN_TEXT_P(
		cstring_to_text(pin_expression(table, table->relid, table->label,
									   text_to_cstring(PG_GETARG_TEXT_PP(1)),
									   PG_GETARG_OID(2), PG_GETARG_BOOL(3))));
}

/*
 * pin_item_expression(orders, items, expression, type, functions): the same
 * over a row of the table of items.
 */
Datum
ordcancel_pin_item_expression(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	Oid			items = PG_GETARG_OID(1);

	PG_RETURN_TEXT_P(
		cstring_to_text(pin_expression(table, items, relation_label(items),
									   text_to_cstring(PG_GETARG_TEXT_PP(2)),
									   PG_GETARG_OID(3), PG_GETARG_BOOL(4))));
}

/*
 * expression_columns(pinned): the names of the columns that a pinned expression
 * over an order reads, with NULL for the whole row.
 */
Datum
ordcancel_expression_columns(PG_FUNCTION_ARGS)
{
	List  *columns = expression_columns(text_to_cstring(PG_GETARG_TEXT_PP(0)));
	int	   count = list_length(columns);
	int	   lower = 1;
	Datum *names = palloc(Max(count, 1) * sizeof(Datum));
	bool  *nulls = palloc(Max(count, 1) * sizeof(bool));

	for (int i = 0; i < count; i++)
	{
		char *name = list_nth(columns, i);

		nulls[i] = name == NULL;
		names[i] = nulls[i] ?
			(Datum) 0 :
			DirectFunctionCall1(namein, CStringGetDatum(name));
	}
	if (count == 0)
		PG_RETURN_ARRAYTYPE_P(construct_empty_array(NAMEOID));
	PG_RETURN_ARRAYTYPE_P(construct_md_array(names, nulls, 1, &count, &lower,
											 NAMEOID, NAMEDATALEN, false,
											 TYPALIGN_CHAR));
}

/*
 * Without "try" it is analyzed, but not run: it may call functions that somebody
 * has created since it was set.
 */
static char *
pin_child_expression(const ChildGuard *guard, Relation rel, char *expression,
					 bool is_key, bool try, char **functions, List **types)
{
	MemoryContext caller = CurrentMemoryContext;
	char		 *complaint = psprintf("expression over %s cannot be used: %s",
									   relation_label(RelationGetRelid(rel)),
									   text_clip(expression, 80));
	RunAsScope	  scope;
	char *volatile pinned = NULL;

	run_as_child_owner(&scope, rel->rd_rel->relowner, guard->search_path,
					   true);
	PG_TRY();
	{
		pinned = expression_pin(guard->time_zone, RelationGetRelid(rel),
								expression, is_key ? InvalidOid : BOOLOID,
								functions);
		*types = expression_types(RelationGetRelid(rel), pinned);
		if (try)
			child_row_try(guard, rel, pinned, *functions);
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	run_as_end(&scope);
	return pinned;
}

/*
 * pin_child_expression(orders, child, expression, search_path, time_zone,
 * is_key, functions): the same over a row of a child table, whose owner may be
 * another one than that of the order table.  With is_key, it is the key of the
 * order; otherwise a condition.
 */
Datum
ordcancel_pin_child_expression(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	Relation	rel = table_open(PG_GETARG_OID(1), AccessShareLock);
	char	   *expression = text_to_cstring(PG_GETARG_TEXT_PP(2));
	ChildGuard	guard = {.name = "",
						 .search_path = text_to_cstring(PG_GETARG_TEXT_PP(3)),
						 .time_zone = text_to_cstring(PG_GETARG_TEXT_PP(4))};
	bool		is_key = PG_GETARG_BOOL(5);
	bool		want_functions = PG_GETARG_BOOL(6);
	char	   *functions;
	List	   *types;
	char	   *pinned = pin_child_expression(&guard, rel, expression, is_key,
											  !want_functions, &functions, &types);

	if (is_key)
		child_key_check_types(psprintf("key_expression (%s)",
									   text_clip(expression, 80)),
							  types, table);
	table_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(want_functions ? functions : pinned));
}

/*
 * pin_also_set(orders, column, value, functions): the same over an order and
 * the record of its cancellation.  The result is of the base type of the
 * column, to which it is coerced when it is written.  Raises OC014 if the
 * column cannot be set.
 */
Datum
ordcancel_pin_also_set(PG_FUNCTION_ARGS)
{
	OrderTable *table = args_table(false, PG_GETARG_OID(0), AccessShareLock);
	char	   *name = NameStr(*PG_GETARG_NAME(1));
	Relation	rel = table_open(table->relid, AccessShareLock);
	TupleDesc	desc = RelationGetDescr(rel);
	const char *fault = also_set_fault(table, rel, name);
	char	   *pinned;

	if (fault)
		refusal_raise_invalid_policy(
			psprintf("column \"%s\" of %s cannot be set", name, table->label),
			fault, NULL);
	pinned = pin_expression(
		table, InvalidOid, table->label, text_to_cstring(PG_GETARG_TEXT_PP(2)),
		getBaseType(
			TupleDescAttr(desc, SPI_fnumber(desc, name) - 1)->atttypid),
		PG_GETARG_BOOL(3));
	table_close(rel, NoLock);
	PG_RETURN_TEXT_P(cstring_to_text(pinned));
}

/*
 * as_owner(orders, query, time_zone): the single value of a query, which runs
 * as the owner of the table, since its types may have code.  The table need
 * not be attached.
 */
Datum
ordcancel_as_owner(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Relation	  rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	char		 *query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char		 *answer = NULL;
	RunAsScope	  scope;
	int			  nest;

	SPI_connect();
	run_as_role_restricted(&scope, rel->rd_rel->relowner);
	nest = safe_search_path_begin();
	(void) stable_settings_begin(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (SPI_execute(query, true, 1) == SPI_OK_SELECT && SPI_processed == 1)
	{
		char *value = SPI_getvalue(SPI_tuptable->vals[0],
								   SPI_tuptable->tupdesc, 1);

		if (value)
			answer = MemoryContextStrdup(caller, value);
	}
	safe_search_path_end(nest);
	run_as_end(&scope);
	SPI_finish();
	table_close(rel, NoLock);
	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(answer));
}
