/*
 * args.c — reading the arguments of SQL functions
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "miscadmin.h"
#include "nodes/parsenodes.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/text.h"
#include "config/guc.h"
#include "config/run_as.h"
#include "config/shard_key.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/call_key.h"
#include "entry/roles.h"
#include "rows/order_key.h"

OrderTable *
args_table(bool isnull, Oid relid, LOCKMODE lock)
{
	OrderTable *table = NULL;

	if (isnull)
		refusal_raise_not_attached(InvalidOid);

	/* The lock that later steps take anyway; it keeps DDL out from here on. */
	LockRelationOid(relid, lock);
	if (SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		table = order_table_find(relid);
	if (table == NULL)
	{
		UnlockRelationOid(relid, lock);
		refusal_raise_not_attached(relid);
	}
	return table;
}

/*
 * The fast-path protocol calls functions without an expression tree.  Then the
 * declared types are used, unless they are polymorphic.
 */
Oid
args_type(FunctionCallInfo fcinfo, int arg)
{
	Oid	 type = get_fn_expr_argtype(fcinfo->flinfo, arg);
	Oid *declared;
	int	 count;

	if (OidIsValid(type))
		return type;
	(void) get_func_signature(fcinfo->flinfo->fn_oid, &declared, &count);
	if (arg >= count || IsPolymorphicType(declared[arg]))
		ereport(ERROR,
				(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
				 errmsg("could not determine the type of the order id"),
				 errhint("Pass it as text.")));
	return declared[arg];
}

pg_noreturn static void
raise_not_found(const CancelTarget *c, Datum value, bool isnull, Oid type,
				const char *why)
{
	char   *order = text_clip(order_key_given(value, isnull, type), 80);
	Refusal refusal = refusal_not_found(c->table->label, order, why);

	refusal_raise(&refusal);
}

/* As the owner of the table, who may hold its shards. */
static Oid
shard_of_order(const OrderTable *table, const Datum *key, bool hold)
{
	RunAsScope scope;
	Oid		   shard;

	run_as_role(&scope, table->owner);
	shard = shard_of_key(table, key, hold);
	run_as_end(&scope);
	return shard;
}

Oid
args_shard_of_key(const OrderTable *table, const Datum *key)
{
	return shard_of_order(table, key, true);
}

/* An order of a distributed table is in one of its shards. */
static void
find_shard(CancelTarget *c, bool writes)
{
	Oid shard;

	if (!c->table->distributed)
		return;
	shard = shard_of_order(c->table, c->key, writes);
	if (!OidIsValid(shard))
		shard_raise_elsewhere(c->table->label);
	c->table = args_table(false, shard,
						  writes ? RowExclusiveLock : AccessShareLock);
}

void
args_hold_shard(const OrderTable *table)
{
	RunAsScope scope;
	bool	   held;

	if (table->shard.id == 0)
		return;
	run_as_role(&scope, table->owner);
	held = shard_hold(&table->shard);
	run_as_end(&scope);
	if (!held)
		shard_raise_elsewhere(table->label);
}

static void
read_key(CancelTarget *c, Datum value, bool isnull, Oid type,
		 ReadSnapshot snapshot)
{
	RunAsScope scope;
	char	  *why;
	bool	   valid;
	bool	   all_plain = true;

	if (order_key_is_call_key(c->table, value, isnull, type))
	{
		c->key = call_key_resolve(c->table, value, type, snapshot, &why);
		if (c->key == NULL)
			raise_not_found(c, value, isnull, type, why);
		return;
	}
	for (int i = 0; i < c->table->nkeys; i++)
		all_plain &= c->table->keys[i].input_is_plain;

	/* A CHECK of a domain in the key is the table owner's code. */
	c->key = palloc(c->table->nkeys * sizeof(Datum));
	if (!all_plain)
		run_as_owner_restricted(&scope, c->table);
	valid = order_key_read(c->table, value, isnull, type, c->key, &why);
	if (!all_plain)
		run_as_end(&scope);
	if (!valid)
		raise_not_found(c, value, isnull, type, why);
}

void
args_read_key(CancelTarget *c, Datum value, bool isnull, Oid type)
{
	read_key(c, value, isnull, type, READ_CURRENT);
}

void
args_key(CancelTarget *c, FunctionCallInfo fcinfo, int arg)
{
	bool writes = func_volatile(fcinfo->flinfo->fn_oid) ==
		PROVOLATILE_VOLATILE;

	read_key(c, PG_GETARG_DATUM(arg), PG_ARGISNULL(arg),
			 args_type(fcinfo, arg), writes ? READ_CURRENT : READ_CALLER);
	find_shard(c, writes);
}

void
args_raise_not_found(const CancelTarget *c, FunctionCallInfo fcinfo, int arg)
{
	raise_not_found(c, PG_GETARG_DATUM(arg), PG_ARGISNULL(arg),
					args_type(fcinfo, arg), NULL);
}

bool
args_call_is_atomic(FunctionCallInfo fcinfo)
{
	return !(fcinfo->context && IsA(fcinfo->context, CallContext)) ||
		castNode(CallContext, fcinfo->context)->atomic;
}

/* Names are stored with every event; a longer one is probably a mistake. */
void
args_check_name(const char *name, const char *what)
{
	if (name && pg_mbstrlen(name) > NAME_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s is too long", what),
				 errdetail("It has %d characters; the maximum is %d.",
						   pg_mbstrlen(name), NAME_MAX_LENGTH)));
}

char *
args_default_actor(void)
{
	char *actor = guc_actor();

	if (actor == NULL)
		return role_name();
	args_check_name(actor, "setting \"ordcancel.actor\"");
	return actor;
}

char *
args_text(FunctionCallInfo fcinfo, int arg)
{
	return PG_ARGISNULL(arg) ? NULL : text_to_cstring(PG_GETARG_TEXT_PP(arg));
}

char *
args_name(FunctionCallInfo fcinfo, int arg, const char *what)
{
	char *name = args_text(fcinfo, arg);

	args_check_name(name, what);
	return name;
}

char *
args_actor(FunctionCallInfo fcinfo, int arg)
{
	char *actor = args_name(fcinfo, arg, "actor");

	return actor ? actor : args_default_actor();
}

Numeric
args_numeric(FunctionCallInfo fcinfo, int arg)
{
	return PG_NARGS() <= arg || PG_ARGISNULL(arg) ? NULL :
													PG_GETARG_NUMERIC(arg);
}

#define METADATA_MAX_LENGTH 8192 /* in bytes, as text */

/*
 * Is its text certainly short enough?  A byte of a string can take 6 bytes
 * ("\\u0001"), and separators follow each member.
 */
static bool
is_short(Jsonb *metadata)
{
	JsonbIterator	  *it = JsonbIteratorInit(&metadata->root);
	JsonbIteratorToken token;
	JsonbValue		   v;
	Size			   length = 0;

	while ((token = JsonbIteratorNext(&it, &v, false)) != WJB_DONE)
	{
		length += 8;
		if (token != WJB_KEY && token != WJB_VALUE && token != WJB_ELEM)
			continue;
		if (v.type == jbvNumeric) /* 1e1000 is short only in binary form */
			return false;
		if (v.type == jbvString)
			length += 6 * (Size) v.val.string.len;
	}
	return length <= METADATA_MAX_LENGTH;
}

void
args_metadata(FunctionCallInfo fcinfo, int arg, CancelArgs *args)
{
	Jsonb *metadata;
	int	   length;

	if (PG_NARGS() <= arg || PG_ARGISNULL(arg))
		return;
	metadata = PG_GETARG_JSONB_P(arg);
	if (!JB_ROOT_IS_OBJECT(metadata))
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("metadata must be a JSON object")));
	length = is_short(metadata) ?
		0 :
		strlen(JsonbToCString(NULL, &metadata->root, VARSIZE(metadata)));
	if (length > METADATA_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("metadata is too long"),
				 errdetail("It has %d bytes; the maximum is %d.", length,
						   METADATA_MAX_LENGTH)));
	args->metadata = metadata;
}

bool
args_bool(FunctionCallInfo fcinfo, int arg)
{
	return !PG_ARGISNULL(arg) && PG_GETARG_BOOL(arg);
}
