/*
 * entry.c — what the SQL functions and triggers have in common on their way in
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "mb/pg_wchar.h"
#include "storage/lmgr.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "as_owner.h"
#include "entry.h"
#include "order_key.h"
#include "refusal.h"
#include "roles.h"
#include "settings.h"

OrderTable *
entry_table(bool isnull, Oid relid, LOCKMODE lock)
{
	OrderTable *table = NULL;

	if (isnull)
		refusal_raise_not_attached(InvalidOid);

	/* The lock that the work takes anyway; no DDL gets in between from here. */
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
 * The fast-path protocol calls functions without an expression that would tell
 * the actual types; the declared ones stand in the catalog.
 */
Oid
entry_argument_type(FunctionCallInfo fcinfo, int arg)
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

void
entry_key(OrderCase *c, FunctionCallInfo fcinfo, int arg)
{
	Oid		   type = entry_argument_type(fcinfo, arg);
	Datum	   value = PG_GETARG_DATUM(arg);
	bool	   isnull = PG_ARGISNULL(arg);
	OwnerScope scope;
	char	  *why;
	bool	   fits;

	/* The checks of a key's domain are code of the table's owner. */
	c->key = palloc(c->table->nkeys * sizeof(Datum));
	owner_enter_restricted(&scope, c->table);
	fits = order_key_read(c->table, value, isnull, type, c->key, &why);
	owner_leave(&scope);
	if (!fits)
		refusal_raise_not_found(c->table->label,
								order_key_shown(value, isnull, type), why);
}

void
entry_not_found(const OrderCase *c, FunctionCallInfo fcinfo, int arg)
{
	refusal_raise_not_found(c->table->label,
							order_key_shown(PG_GETARG_DATUM(arg),
											PG_ARGISNULL(arg),
											entry_argument_type(fcinfo, arg)),
							NULL);
}

/* Longer names and keys are somebody's mistake; they stand in every event. */
#define NAME_MAX_LENGTH 255

void
entry_check_name(const char *name, const char *what)
{
	if (name && pg_mbstrlen(name) > NAME_MAX_LENGTH)
		ereport(ERROR,
				(errcode(ERRCODE_STRING_DATA_RIGHT_TRUNCATION),
				 errmsg("%s is too long", what),
				 errdetail("It has %d characters; %d are allowed.",
						   pg_mbstrlen(name), NAME_MAX_LENGTH)));
}

char *
entry_default_actor(void)
{
	char *actor = settings_actor();

	if (actor == NULL)
		return role_name();
	entry_check_name(actor, "setting \"ordcancel.actor\"");
	return actor;
}
