/*
 * run_as.c — acting as the owner of an order table
 */
#include "postgres.h"

#include "access/table.h"
#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/guc.h"

#include "base/immediate_triggers.h"
#include "config/config_table.h"
#include "config/run_as.h"

#define ACT_AS (SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS)

/*
 * Is the session's search_path as good as the owner's?  Only the same text is:
 * another that leads to the same schemas now may lead elsewhere in the middle
 * of the call.  And temporary tables would come first.
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

/*
 * Does nobody but this role ever run anything in this session?  Not so after
 * SET ROLE: what is deferred until the commit would run as whom RESET ROLE
 * makes of it.
 */
static bool
session_is_of(Oid role)
{
	return GetUserId() == role && GetOuterUserId() == role &&
		GetSessionUserId() == role && GetAuthenticatedUserId() == role;
}

static void
set_search_path(const char *path)
{
	(void) set_config_option("search_path", path, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

static void
enter(RunAsScope *scope, Oid role, int security)
{
	GetUserIdAndSecContext(&scope->userid, &scope->security);
	SetUserIdAndSecContext(role, scope->security | security);
	scope->guc_nest = NewGUCNestLevel();
	scope->rel = NULL;
	immediate_triggers_begin((security & SECURITY_RESTRICTED_OPERATION) != 0 ||
							 InSecurityRestrictedOperation());
}

void
run_as_role(RunAsScope *scope, Oid role)
{
	enter(scope, role, ACT_AS);
}

void
run_as_role_restricted(RunAsScope *scope, Oid role)
{
	enter(scope, role, ACT_AS | SECURITY_RESTRICTED_OPERATION);
}

static void
enter_as_owner(RunAsScope *scope, const OrderTable *table, bool restricted)
{
	enter(scope, table->owner,
		  ACT_AS | (restricted ? SECURITY_RESTRICTED_OPERATION : 0));
	scope->rel = table_open(table->relid, NoLock);
	/* pg_temp last, or temporary tables would be found first. */
	if (!search_path_fits(table))
		set_search_path(table->search_path[0] == '\0' ?
							"pg_temp" :
							psprintf("%s, pg_temp", table->search_path));
}

void
run_as_owner(RunAsScope *scope, const OrderTable *table)
{
	enter_as_owner(scope, table, !session_is_of(table->owner));
}

void
run_as_owner_restricted(RunAsScope *scope, const OrderTable *table)
{
	enter_as_owner(scope, table, true);
}

void
run_as_extension_owner(RunAsScope *scope)
{
	run_as_role(scope, config_owner());
	set_search_path("pg_catalog, pg_temp");
}

void
run_as_caller_restricted(RunAsScope *scope)
{
	enter(scope, GetUserId(), SECURITY_RESTRICTED_OPERATION);
}

/*
 * Settings that another role's code left behind must not reach the caller: a
 * search_path of the owner's would choose the caller's next functions.
 */
void
run_as_end(const RunAsScope *scope)
{
	bool own_code;

	if (scope->rel)
		table_close(scope->rel, NoLock);
	own_code = GetUserId() == scope->userid &&
		!InSecurityRestrictedOperation();

	AtEOXact_GUC(own_code, scope->guc_nest);
	SetUserIdAndSecContext(scope->userid, scope->security);
	immediate_triggers_end();
}

void
run_as_owner_spi(RunAsScope *scope, const OrderTable *table)
{
	MemoryContext caller = CurrentMemoryContext;

	SPI_connect();
	MemoryContextSwitchTo(caller);
	run_as_owner(scope, table);
}

void
run_as_end_spi(const RunAsScope *scope)
{
	run_as_end(scope);
	SPI_finish();
}

int
safe_search_path_begin(void)
{
	int nest = NewGUCNestLevel();

	set_search_path("pg_catalog, pg_temp");
	return nest;
}

void
safe_search_path_end(int guc_nest)
{
	AtEOXact_GUC(false, guc_nest);
}

/*
 * In a restricted operation nothing is ever deferred; and to ask for it there
 * would run what the caller has deferred, as the owner.
 */
void
run_as_fire_deferred(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (InSecurityRestrictedOperation())
		return;
	SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0);
	MemoryContextSwitchTo(caller); /* SPI leaves its own behind */
}
