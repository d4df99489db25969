/*
 * setup_gate.c — runs the configuration functions as the extension's owner
 *
 * attach, set_policy and the other configuration functions are written in
 * PL/pgSQL, but need rights that their callers do not have: they write the
 * configuration and create tables that inherit from ours.  The C functions
 * below are what SQL sees under the public names.  They check that the caller
 * owns the order table, or may read it, and call the function of the same name
 * and arguments in schema ordcancel_internal.  Errors and notices are passed
 * on without the CONTEXT of our functions.
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_proc.h"
#include "catalog/pg_type.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "config/config_table.h"
#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/setup_gate.h"
#include "rows/visibility.h"

PG_FUNCTION_INFO_V1(ordcancel_owner_gate);
PG_FUNCTION_INFO_V1(ordcancel_open_gate);
PG_FUNCTION_INFO_V1(ordcancel_reader_gate);
PG_FUNCTION_INFO_V1(ordcancel_row_reader_gate);
PG_FUNCTION_INFO_V1(ordcancel_caller_is_superuser);
PG_FUNCTION_INFO_V1(ordcancel_caller_role);
PG_FUNCTION_INFO_V1(ordcancel_caller_search_path);
PG_FUNCTION_INFO_V1(ordcancel_invalid);
PG_FUNCTION_INFO_V1(ordcancel_notice);

#define CALLER_SETTINGS 3

/* What inner functions may ask about their caller. */
typedef struct GateCaller
{
	char				 *search_path; /* see resolved_path */
	ErrorContextCallback *context;	   /* error_context_stack of the caller */
	Oid					  role;
	bool				  superuser;
	const char			 *settings[CALLER_SETTINGS]; /* see caller_settings */
} GateCaller;

static GateCaller gate_caller = {0};

/* Settings that a gate changes and that code of the caller's may read. */
static const char *const caller_settings[CALLER_SETTINGS] = {"search_path",
															 "ordcancel.party",
															 "IntervalStyle"};

Oid
setup_gate_caller(void)
{
	return gate_caller.role;
}

void
setup_gate_use_caller_settings(void)
{
	for (int i = 0; i < CALLER_SETTINGS; i++)
		(void) set_config_option(caller_settings[i], gate_caller.settings[i],
								 PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE,
								 true, 0, false);
}

/*
 * The existing schemas in search_path, by name.  "$user" is resolved here: it
 * would otherwise be any schema that later gets the name of the table's owner.
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

/* With text for an argument of any type. */
static oidvector *
inner_types(Form_pg_proc proc)
{
	oidvector *types = buildoidvector(proc->proargtypes.values,
									  proc->pronargs);

	for (int i = 0; i < proc->pronargs; i++)
		if (types->values[i] == ANYNONARRAYOID)
			types->values[i] = TEXTOID;
	return types;
}

/* The function of the same name and arguments in ordcancel_internal. */
static Oid
inner_function(Oid outer)
{
	HeapTuple	 tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(outer));
	Form_pg_proc proc;
	char		*name;
	Oid			 inner;

	/* It may have been dropped while the caller waited for a lock. */
	if (!HeapTupleIsValid(tuple))
		config_raise_dropped();
	proc = (Form_pg_proc) GETSTRUCT(tuple);
	name = pstrdup(NameStr(proc->proname));

	inner = GetSysCacheOid3(
		PROCNAMEARGSNSP, Anum_pg_proc_oid, CStringGetDatum(name),
		PointerGetDatum(inner_types(proc)),
		ObjectIdGetDatum(get_namespace_oid("ordcancel_internal", true)));
	ReleaseSysCache(tuple);
	if (!OidIsValid(inner))
		config_raise_dropped();
	return inner;
}

/*
 * The lock keeps the table's name and owner as they were checked, and
 * serializes changes of the configuration of one table.
 */
static void
check_ownership(FunctionCallInfo fcinfo, int arg)
{
	Oid relid = PG_GETARG_OID(arg);

	if (PG_ARGISNULL(arg))
		refusal_raise_not_attached(InvalidOid);
	LockRelationOid(relid, ShareUpdateExclusiveLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
	{
		/* A superuser may remove what is left of a dropped table. */
		if (!superuser())
			refusal_raise_not_attached(relid);
		return;
	}
	if (!owns_relation(relid, GetUserId()))
		aclcheck_error(ACLCHECK_NOT_OWNER,
					   get_relkind_objtype(get_rel_relkind(relid)),
					   get_rel_name(relid));
}

/* Settings that would affect what the inner function does. */
static void
hold_settings(void)
{
	static const char *const settings[][2] = {
		{"default_table_access_method", "heap"},
		{"default_tablespace", ""},
		{"quote_all_identifiers", "off"},
		{"IntervalStyle", "postgres"}, /* for intervals in messages */
		{"ordcancel.party", ""},	   /* health() decides for both */
		{"jit", "off"},				   /* would take longer than a report */
	};

	for (int i = 0; i < lengthof(settings); i++)
		(void) set_config_option(settings[i][0], settings[i][1], PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
}

/*
 * Raises the error again without the CONTEXT of our functions.  That of the
 * caller's functions is added by ThrowErrorData.  Internal errors keep all.
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

Datum
setup_gate_call(FunctionCallInfo fcinfo)
{
	MemoryContext caller = CurrentMemoryContext;
	LOCAL_FCINFO(inner, FUNC_MAX_ARGS);
	FmgrInfo  *function = fcinfo->flinfo->fn_extra;
	GateCaller outer = gate_caller; /* the owner's code may call a gate */
	RunAsScope scope;
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

	gate_caller = (GateCaller){.search_path = resolved_path(),
							   .context = error_context_stack,
							   .role = GetUserId(),
							   .superuser = superuser()};
	for (int i = 0; i < CALLER_SETTINGS; i++)
		gate_caller.settings[i] = pstrdup(
			GetConfigOption(caller_settings[i], false, false));
	PG_TRY();
	{
		run_as_role(&scope, config_owner());
		hold_settings();
		result = FunctionCallInvoke(inner);
		run_as_end(&scope);
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
 * The inner functions query the catalogs.  With a transaction snapshot they
 * would see what was there before their locks were granted.
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
	check_ownership(fcinfo, 0);
	if (fcinfo->nargs > 1 && args_type(fcinfo, 1) == REGCLASSOID)
		check_ownership(fcinfo, 1);
	return setup_gate_call(fcinfo);
}

/* For functions that show only the configuration, which anyone may read. */
Datum
ordcancel_open_gate(PG_FUNCTION_ARGS)
{
	return setup_gate_call(fcinfo);
}

static void
ignore_row(HeapTuple row, TupleDesc desc, void *arg)
{
}

/*
 * Raises 42501 if the caller may read less of the order table than "wanted".
 * The table need not match its configuration any more: health() reports the
 * differences.
 */
static void
check_reader(FunctionCallInfo fcinfo, OrdersAccess wanted)
{
	Oid relid = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);

	if (OidIsValid(relid))
		LockRelationOid(relid, AccessShareLock);
	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) ||
		config_scan("order_table", relid, ignore_row, NULL) == 0)
		refusal_raise_not_attached(relid);
	if (visibility_access(relid, GetUserId()) < wanted)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(relid));
}

/*
 * A query may call it for each of thousands of tables, so no lock is kept on the
 * table.
 */
static Datum
read_table(FunctionCallInfo fcinfo)
{
	Oid	  relid = PG_GETARG_OID(0);
	Datum result = setup_gate_call(fcinfo);

	UnlockRelationOid(relid, AccessShareLock);
	return result;
}

/* For functions that need SELECT on the whole order table. */
Datum
ordcancel_reader_gate(PG_FUNCTION_ARGS)
{
	check_reader(fcinfo, ORDERS_ALL);
	return read_table(fcinfo);
}

void
setup_gate_check_row_reader(FunctionCallInfo fcinfo)
{
	check_reader(fcinfo, ORDERS_BY_ROW);
}

/* For reports, which show what row-level security lets the caller see. */
Datum
ordcancel_row_reader_gate(PG_FUNCTION_ARGS)
{
	setup_gate_check_row_reader(fcinfo);
	return read_table(fcinfo);
}

/*
 * The setting is_superuser would not do: it is the session's also while code
 * of a table owner calls.
 */
Datum
ordcancel_caller_is_superuser(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(gate_caller.superuser);
}

Datum
ordcancel_caller_role(PG_FUNCTION_ARGS)
{
	if (!OidIsValid(gate_caller.role))
		PG_RETURN_NULL();
	return DirectFunctionCall1(
		namein, CStringGetDatum(GetUserNameFromId(gate_caller.role, false)));
}

/* For attach, which stores it for running the owner's code later. */
Datum
ordcancel_caller_search_path(PG_FUNCTION_ARGS)
{
	if (gate_caller.search_path == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(gate_caller.search_path));
}

/*
 * invalid(message, detail, hint): raises OC014.  RAISE in PL/pgSQL cannot omit
 * a DETAIL that is NULL.
 */
Datum
ordcancel_invalid(PG_FUNCTION_ARGS)
{
	char *message = args_text(fcinfo, 0);

	refusal_raise_invalid_policy(message ? message : "invalid policy",
								 args_text(fcinfo, 1), args_text(fcinfo, 2));
}

/* notice(message, detail, hint): a NOTICE without our CONTEXT. */
Datum
ordcancel_notice(PG_FUNCTION_ARGS)
{
	ErrorContextCallback *inner = error_context_stack;
	char				 *message = args_text(fcinfo, 0);
	char				 *detail = args_text(fcinfo, 1);
	char				 *hint = args_text(fcinfo, 2);

	error_context_stack = gate_caller.context;
	ereport(NOTICE,
			(errmsg_internal("%s", message ? message : ""),
			 detail ? errdetail_internal("%s", detail) : 0,
			 hint ? errhint("%s", hint) : 0));
	error_context_stack = inner;
	PG_RETURN_VOID();
}
