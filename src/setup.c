/*
 * setup.c — what the configuration functions cannot do in PL/pgSQL
 *
 * attach, set_policy and their siblings are PL/pgSQL, but they write tables
 * that their callers may not write, and make tables that inherit from ours.
 * The gate is how they come by the right: it is what SQL sees under the public
 * name, checks that the caller owns the order table, and calls the function
 * of the same name in schema ordcancel_internal, as the extension's owner.
 * Nothing of the caller's own runs there: statuses and expressions are checked
 * by the two functions below, as the table's owner.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "access/table.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "commands/trigger.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/inval.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/syscache.h"

#include "as_owner.h"
#include "compat.h"
#include "config.h"
#include "entry.h"
#include "expression.h"
#include "formats.h"
#include "order_key.h"
#include "order_row.h"
#include "refusal.h"

PG_FUNCTION_INFO_V1(ordcancel_owner_gate);
PG_FUNCTION_INFO_V1(ordcancel_open_gate);
PG_FUNCTION_INFO_V1(ordcancel_reader_gate);
PG_FUNCTION_INFO_V1(ordcancel_as_owner);
PG_FUNCTION_INFO_V1(ordcancel_caller_is_superuser);
PG_FUNCTION_INFO_V1(ordcancel_caller_search_path);
PG_FUNCTION_INFO_V1(ordcancel_config_changed);
PG_FUNCTION_INFO_V1(ordcancel_is_record_table);
PG_FUNCTION_INFO_V1(ordcancel_read_status);
PG_FUNCTION_INFO_V1(ordcancel_invalid);
PG_FUNCTION_INFO_V1(ordcancel_notice);
PG_FUNCTION_INFO_V1(ordcancel_pin_expression);

/* Of whoever called through the gate. */
typedef struct GateCaller
{
	char				 *search_path; /* see resolved_path */
	ErrorContextCallback *context;	   /* what errors have as CONTEXT there */
	bool				  superuser;
} GateCaller;

static GateCaller gate_caller = {NULL, NULL, false};

/*
 * The schemas that a search_path names now.  A "$user" of it would be whatever
 * schema gets the name of the table's owner later.
 */
static char *
resolved_path(void)
{
	StringInfoData path;
	ListCell	  *lc;

	initStringInfo(&path);
	foreach(lc, fetch_search_path(false))
	{
		char *name = get_namespace_name(lfirst_oid(lc));

		if (name && !isTempNamespace(lfirst_oid(lc)))
			appendStringInfo(&path, "%s%s", path.len ? ", " : "",
							 quote_identifier(name));
	}
	return path.data;
}

/* The function of that name and arguments in the schema of the internals. */
static Oid
inner_function(Oid outer)
{
	HeapTuple	 tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(outer));
	Form_pg_proc proc;
	char		*name;
	Oid			 inner;

	/* To get here may have waited for who dropped it. */
	if (!HeapTupleIsValid(tuple))
		config_raise_dropped();
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	name = pstrdup(NameStr(proc->proname));

	inner = GetSysCacheOid3(
		PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
		PointerGetDatum(&proc->proargtypes),
		ObjectIdGetDatum(get_namespace_oid("ordcancel_internal", true)));
	ReleaseSysCache(tuple);
	if (!OidIsValid(inner))
		config_raise_dropped();
	return inner;
}

/*
 * The lock keeps the table's name and owner as they were checked, and makes
 * two who configure the same table take turns.
 */
static void
check_ownership(Oid relid)
{
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
	{
		/* What is left of a dropped table may be cleared away. */
		if (!superuser())
			refusal_raise_not_attached(relid);
		return;
	}
	if (!owns_relation(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

/* Settings of the caller's must not steer what is made here. */
static void
hold_settings(void)
{
	static const char *const settings[][2] = {
		{"default_table_access_method", "heap"},
		{"default_tablespace", ""},
		{"quote_all_identifiers", "off"},
		{"IntervalStyle", "postgres"}, /* as text in what setup answers */
		{"ordcancel.party", ""},	   /* health() asks for any party */
	};

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
}

/*
 * Raises the error again without our own lines of CONTEXT, in which it would
 * drown; those of the caller's functions stay.
 */
pg_noreturn static void
rethrow_to_caller(MemoryContext caller)
{
	ErrorData *error;

	MemoryContextSwitchTo(caller);
	error = CopyErrorData();
	if (ERRCODE_TO_CATEGORY(error->sqlerrcode) ==
			ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR) ||
		error->elevel > ERROR)
		PG_RE_THROW();
	FlushErrorState();
	error->context = NULL;
	ThrowErrorData(error);
	pg_unreachable();
}

/* Calls the inner function with the arguments, as the extension's owner. */
static Datum
call_inner(FunctionCallInfo fcinfo)
{
	MemoryContext caller = CurrentMemoryContext;
	LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
	FmgrInfo  *function = fcinfo->flinfo->fn_extra;
	GateCaller outer = gate_caller; /* the owner's code may call a gate, too */
	OwnerScope scope;
	Datum	   result;

	if (function == NULL)
	{
		function = MemoryContextAlloc(fcinfo->flinfo->fn_mcxt,
									  sizeof(FmgrInfo));
		fmgr_info_cxt(inner_function(fcinfo->flinfo->fn_oid), function,
					  fcinfo->flinfo->fn_mcxt);
		fcinfo->flinfo->fn_extra = function;
	}
	InitFunctionCallInfoData(*inner, function, fcinfo->nargs,
							 fcinfo->fncollation, NULL, fcinfo->resultinfo);
	memcpy(inner->args, fcinfo->args, fcinfo->nargs * sizeof(NullableDatum));

	gate_caller = (GateCaller){resolved_path(), error_context_stack,
							   superuser()};
	PG_TRY();
	{
		role_enter(&scope, config_owner());
		hold_settings();
		result = FunctionCallInvoke(inner);
		owner_leave(&scope);
	}
	PG_CATCH();
	{
		gate_caller = outer;
		rethrow_to_caller(caller);
	}
	PG_END_TRY();
	gate_caller = outer;
	fcinfo->isnull = inner->isnull;
	return result;
}

/*
 * What is set up is judged by queries of the catalogs.  With the snapshot of a
 * whole transaction they would see what was there before the locks were given.
 */
static void
check_isolation(FunctionCallInfo fcinfo)
{
	if (IsolationUsesXactSnapshot())
		ereport(
			ERROR,
			(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
			 errmsg("%s() cannot be called at isolation level %s",
					get_func_name(fcinfo->flinfo->fn_oid),
					GetConfigOption("transaction_isolation", false, false)),
			 errhint(
				 "Begin the transaction with SET TRANSACTION ISOLATION LEVEL READ COMMITTED.")));
}

Datum
ordcancel_owner_gate(PG_FUNCTION_ARGS)
{
	check_isolation(fcinfo);
	if (PG_ARGISNULL(0))
		refusal_raise_not_attached(InvalidOid);
	check_ownership(PG_GETARG_OID(0));
	if (fcinfo->nargs > 1 && entry_argument_type(fcinfo, 1) == REGCLASSOID)
	{
		if (PG_ARGISNULL(1))
			refusal_raise_not_attached(InvalidOid);
		check_ownership(PG_GETARG_OID(1));
	}
	return call_inner(fcinfo);
}

/* For what tells of the configuration alone, which anybody may read. */
Datum
ordcancel_open_gate(PG_FUNCTION_ARGS)
{
	return call_inner(fcinfo);
}

static void
ignore_row(HeapTuple row, TupleDesc desc, void *arg)
{
}

/*
 * For who may read all of the order table.  It need not fit any more what was
 * set for it: health() is to say why.
 */
Datum
ordcancel_reader_gate(PG_FUNCTION_ARGS)
{
	Oid relid = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);

	if (OidIsValid(relid))
		LockRelationOid(relid, AccessShareLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) ||
		config_scan("order_table", relid, ignore_row, NULL) == 0)
		refusal_raise_not_attached(relid);
	if (!order_sees_all(relid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
	return call_inner(fcinfo);
}

/*
 * Not what the setting is_superuser says, which is that of the session also
 * while code of an owner's calls.
 */
Datum
ordcancel_caller_is_superuser(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(gate_caller.superuser);
}

/* For attach, which keeps it: the owner's code is to run with it later. */
Datum
ordcancel_caller_search_path(PG_FUNCTION_ARGS)
{
	if (gate_caller.search_path == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(gate_caller.search_path));
}

/* A table that is looked for among the record tables. */
typedef struct RecordSearch
{
	Oid	 relid;
	bool found;
} RecordSearch;

static void
match_record_table(HeapTuple row, TupleDesc desc, void *arg)
{
	static const char *const columns[] = {"cancellation_table", "event_table",
										  "records"};
	RecordSearch			*search = arg;

	for (int i = 0; i < lengthof(columns); i++)
	{
		int	  column = SPI_fnumber(desc, columns[i]);
		bool  isnull;
		Datum value;

		if (column <= 0)
			continue;
		value = heap_getattr(row, column, desc, &isnull);
		if (!isnull && DatumGetObjectId(value) == search->relid)
			search->found = true;
	}
}

/*
 * Is, or was, it a record table of an order table?  By what is committed now,
 * whatever the transaction's snapshot sees.
 */
Datum
ordcancel_is_record_table(PG_FUNCTION_ARGS)
{
	RecordSearch search = {PG_GETARG_OID(0), false};

	(void) config_scan("order_table", InvalidOid, match_record_table, &search);
	(void) config_scan_detached(match_record_table, &search);
	PG_RETURN_BOOL(search.found);
}

/*
 * AFTER trigger on the configuration tables: every backend's copy of what
 * changed is stale.  The old row's order table and the new one's both.
 */
static void
invalidate_row(Relation config, HeapTuple row)
{
	TupleDesc  desc = RelationGetDescr(config);
	AttrNumber column = SPI_fnumber(desc, "orders");
	bool	   isnull;
	Oid		   relid;

	if (column <= 0)
	{
		/* reason, refund_method: they are cached by themselves */
		CacheInvalidateRelcache(config);
		return;
	}
	relid = DatumGetObjectId(
		heap_getattr(row, column, RelationGetDescr(config), &isnull));
	if (!isnull && SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		CacheInvalidateRelcacheByRelid(relid);
}

Datum
ordcancel_config_changed(PG_FUNCTION_ARGS)
{
	TriggerData *trigger = (TriggerData *) fcinfo->context;

	if (!CALLED_AS_TRIGGER(fcinfo))
		ereport(ERROR,
				(errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
				 errmsg("function was not called by trigger manager")));
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

/* OC014 with a message of PL/pgSQL's, whose RAISE cannot leave out a DETAIL. */
Datum
ordcancel_invalid(PG_FUNCTION_ARGS)
{
	char *parts[3];

	for (int i = 0; i < lengthof(parts); i++)
		parts[i] = PG_ARGISNULL(i) ? NULL :
									 text_to_cstring(PG_GETARG_TEXT_PP(i));
	refusal_raise_invalid_policy(parts[0] ? parts[0] : "invalid policy",
								 parts[1], parts[2]);
}

/* notice(message, detail, hint): tells it without our lines of CONTEXT. */
Datum
ordcancel_notice(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *inner = error_context_stack;
	char				 *parts[3];

	for (int i = 0; i < lengthof(parts); i++)
		parts[i] = PG_ARGISNULL(i) ? NULL :
									 text_to_cstring(PG_GETARG_TEXT_PP(i));
	error_context_stack = gate_caller.context;
	ereport(NOTICE,
			(errmsg_internal("%s", parts[0] ? parts[0] : ""),
			 parts[1] ? errdetail_internal("%s", parts[1]) : 0,
			 parts[2] ? errhint("%s", parts[2]) : 0));
	error_context_stack = inner;
	PG_RETURN_VOID();
}

/*
 * A status as the table's status column would write it; an error when the
 * column cannot hold it.
 */
Datum
ordcancel_read_status(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	OrderTable	 *table = entry_table(PG_ARGISNULL(0), PG_GETARG_OID(0),
									  AccessShareLock);
	OwnerScope	  scope;
	char		 *status;
	char		 *complaint;
	char *volatile written = NULL;

	if (PG_ARGISNULL(1))
		PG_RETURN_NULL();
	status = text_to_cstring(PG_GETARG_TEXT_PP(1));
	complaint = psprintf("\"%s\" is not a status of %s", shorten(status, 80),
						 table->label);
	owner_enter_restricted(&scope, table);
	PG_TRY();
	{
		written = column_to_text(&table->status,
								 column_from_text(&table->status, status));
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	owner_leave(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(written));
}

/* See expression_pin; OC014 where the expression does not fit. */
Datum
ordcancel_pin_expression(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	OrderTable	 *table = entry_table(PG_ARGISNULL(0), PG_GETARG_OID(0),
									  AccessShareLock);
	char		 *expression = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char		 *complaint = psprintf("expression over %s cannot be used: %s",
									   table->label, shorten(expression, 80));
	OwnerScope	  scope;
	char *volatile pinned = NULL;
	char *functions = NULL;

	if (get_typtype(PG_GETARG_OID(2)) == '\0')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("type with OID %u does not exist", PG_GETARG_OID(2))));

	owner_enter_restricted(&scope, table);
	PG_TRY();
	{
		pinned = expression_pin(table, expression, PG_GETARG_OID(2),
								&functions);
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(caller, complaint, NULL);
	}
	PG_END_TRY();
	owner_leave(&scope);
	PG_RETURN_TEXT_P(cstring_to_text(PG_GETARG_BOOL(3) ? functions : pinned));
}

/*
 * Rows of the table may be read only as its owner: its types may have code.
 * It need not be attached yet.
 */
Datum
ordcancel_as_owner(PG_FUNCTION_ARGS)
{
	MemoryContext caller = CurrentMemoryContext;
	Relation	  rel = table_open(PG_GETARG_OID(0), AccessShareLock);
	char		 *query = text_to_cstring(PG_GETARG_TEXT_PP(1));
	char		 *answer = NULL;
	OwnerScope	  scope;
	int			  nest;

	SPI_connect();
	role_enter_restricted(&scope, rel->rd_rel->relowner);
	nest = pinned_path_enter();
	(void) formats_fix(text_to_cstring(PG_GETARG_TEXT_PP(2)));
	if (SPI_execute(query, true, 1) == SPI_OK_SELECT && SPI_processed == 1)
	{
		char *value = SPI_getvalue(SPI_tuptable->vals[0],
								   SPI_tuptable->tupdesc, 1);

		if (value)
			answer = MemoryContextStrdup(caller, value);
	}
	pinned_path_leave(nest);
	owner_leave(&scope);
	SPI_finish();
	table_close(rel, NoLock);
	if (answer == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(answer));
}
