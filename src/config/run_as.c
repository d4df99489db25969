/*
 * run_as.c — runs code as the owner of the order table, or as another role
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

/* As in ri_triggers.c. */
#define ACT_AS (SECURITY_LOCAL_USERID_CHANGE | SECURITY_NOFORCE_RLS)

/*
 * Can the session's search_path be left as it is?  Its text must be that of the
 * owner, since other paths that name the same schemas now may name others later
 * in the call.  And the session must have no temporary schema, because that
 * would be searched first.
 */
static bool
search_path_fits(const char *path)
{
	Oid temp;
	Oid temp_toast;

	if (strcmp(namespace_search_path, path) != 0)
		return false;
	GetTempNamespaceState(&temp, &temp_toast);
	return !OidIsValid(temp);
}

/*
 * Is this role the only one in the session?  Not after SET ROLE or in a
 * SECURITY DEFINER function: a trigger that is deferred until the commit would
 * run as another role.
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

/* If pg_temp is not in the path, it is searched first. */
static void
use_owners_search_path(const char *path)
{
	if (!search_path_fits(path))
		set_search_path(path[0] == '\0' ? "pg_temp" :
										  psprintf("%s, pg_temp", path));
}

static void
enter(RunAsScope *scope, Oid role, int security)
{
	GetUserIdAndSecContext(&scope->userid, &scope->security);
	SetUserIdAndSecContext(role, scope->security | security);
	scope->guc_nest = NewGUCNestLevel();
	scope->rel = scope->items = NULL;
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
	if (OidIsValid(table->items))
		scope->items = try_table_open(table->items, AccessShareLock);
	use_owners_search_path(table->search_path);
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
run_as_child_owner(RunAsScope *scope, Oid owner, const char *search_path,
				   bool restricted)
{
	restricted |= !session_is_of(owner);
	enter(scope, owner,
		  ACT_AS | (restricted ? SECURITY_RESTRICTED_OPERATION : 0));
	use_owners_search_path(search_path);
}

void
run_as_extension_owner(RunAsScope *scope)
{
	run_as_role(scope, config_owner());
	set_search_path("pg_catalog, pg_temp");
}

void
run_as_reader(RunAsScope *scope, Oid role)
{
	enter(scope, role, SECURITY_RESTRICTED_OPERATION);
	if (role != scope->userid)
		SetUserIdAndSecContext(role,
							   (scope->security & ~SECURITY_NOFORCE_RLS) |
								   SECURITY_LOCAL_USERID_CHANGE |
								   SECURITY_RESTRICTED_OPERATION);
}

/*
 * Settings made by code of another role are rolled back.  With a search_path
 * of the owner, the caller might call the owner's functions unknowingly.
 */
void
run_as_end(const RunAsScope *scope)
{
	bool own_code;

	if (scope->items)
		table_close(scope->items, NoLock);
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
 * In a security-restricted operation nothing is deferred, and SET CONSTRAINTS
 * would fire, as the owner, triggers that the caller has deferred.
 */
void
run_as_fire_deferred(void)
{
	MemoryContext caller = CurrentMemoryContext;

	if (InSecurityRestrictedOperation())
		return;
	SPI_execute("SET CONSTRAINTS ALL IMMEDIATE", false, 0);
	MemoryContextSwitchTo(caller); /* SPI_execute changes it */
}
