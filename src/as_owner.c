/*
 * as_owner.c — acting as the owner of an order table
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "as_owner.h"
#include "config.h"

/*
 * Is the session's search_path as good as the owner's?  The same text is,
 * as long as there are no temporary tables that would come first.
 */
static bool
search_path_fits(const OrderTable *table)
{
	Oid temp;
	Oid temp_toast;

	if (strcmp(namespace_search_path, table->search_path) != 0)
		return false;
	GetTempNamespaceState(&temp, &temp_toast);
	return !OidIsValid(temp);
}

void
role_enter(OwnerScope *scope, Oid role)
{
	GetUserIdAndSecContext(&scope->userid, &scope->security);
	SetUserIdAndSecContext(role,
						   scope->security | SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_NOFORCE_RLS);
	scope->guc_nest = NewGUCNestLevel();
}

void
owner_enter(OwnerScope *scope, const OrderTable *table)
{
	role_enter(scope, table->owner);
	if (!search_path_fits(table))
	{
		/* pg_temp last, or temporary tables would be found first. */
		char *path = table->search_path[0] == '\0' ?
			pstrdup("pg_temp") :
			psprintf("%s, pg_temp", table->search_path);

		(void) set_config_option("search_path", path, PGC_USERSET,
								 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0,
								 false);
		pfree(path);
	}
}

void
extension_enter(OwnerScope *scope)
{
	role_enter(scope, config_owner());
	(void) set_config_option("search_path", "pg_catalog, pg_temp", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

void
owner_enter_restricted(OwnerScope *scope, const OrderTable *table)
{
	owner_enter(scope, table);
	SetUserIdAndSecContext(table->owner,
						   scope->security | SECURITY_LOCAL_USERID_CHANGE |
							   SECURITY_NOFORCE_RLS |
							   SECURITY_RESTRICTED_OPERATION);
}

/*
 * Settings that another role's code left behind must not reach the caller: a
 * search_path of the owner's would choose the caller's next functions.
 */
void
owner_leave(const OwnerScope *scope)
{
	bool own_code = GetUserId() == scope->userid;

	AtEOXact_GUC(own_code, scope->guc_nest);
	SetUserIdAndSecContext(scope->userid, scope->security);
}

uint64
owner_cursors(void)
{
	static SPIPlanPtr plan = NULL;
	MemoryContext	  caller = CurrentMemoryContext;

	if (plan == NULL)
	{
		plan = SPI_prepare(
			"SELECT FROM pg_catalog.pg_cursor() AS c WHERE c.is_holdable", 0,
			NULL);
		if (plan == NULL || SPI_keepplan(plan) != 0)
			elog(ERROR, "SPI_prepare failed: %s",
				 SPI_result_code_string(SPI_result));
	}
	SPI_execute_plan(plan, NULL, NULL, true, 0);
	MemoryContextSwitchTo(caller); /* SPI leaves its own behind */
	return SPI_processed;
}

void
owner_settle(uint64 cursors)
{
	MemoryContext caller = CurrentMemoryContext;

	SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0);
	MemoryContextSwitchTo(caller);
	if (owner_cursors() > cursors)
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("a trigger left a cursor WITH HOLD behind")));
}
