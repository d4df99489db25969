/*
 * visibility.c — which orders the current role may see
 */
#include "postgres.h"

#include "catalog/pg_namespace.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "base/compat.h"
#include "base/read_snapshot.h"
#include "config/run_as.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"
#include "rows/visibility.h"

bool
visibility_sees_all(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, InvalidOid, true) != RLS_ENABLED;
}

OrdersAccess
visibility_access(Oid relid, Oid role)
{
	OrdersAccess access = ORDERS_NONE;
	RunAsScope	 scope;

	if (!SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)))
		return ORDERS_NONE;
	run_as_reader(&scope, role);
	if (visibility_sees_all(relid))
		access = ORDERS_ALL;
	else if (pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK &&
			 may_use_schema(get_rel_namespace(relid), role))
	{
		(void) check_enable_rls(relid, InvalidOid, false);
		access = ORDERS_BY_ROW;
	}
	run_as_end(&scope);
	return access;
}

static void
visible_sql(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, "SELECT FROM %s%s AS o WHERE ", order_only(table),
					 table->sql);
	order_key_qual(sql, table, "o", NULL, 1);
}

static bool
sees_order(OrderTable *table, const Datum *key, Oid role,
		   ReadSnapshot snapshot)
{
	MemoryContext caller = CurrentMemoryContext;
	Parameters	  p = {0};
	RunAsScope	  scope;
	bool		  visible;

	parameter_key(&p, table, key);
	SPI_connect();
	MemoryContextSwitchTo(caller);
	run_as_reader(&scope, role);
	visible = plan_cache_run(table, STATEMENT_VISIBLE, visible_sql, &p,
							 snapshot) > 0;
	run_as_end(&scope);
	SPI_finish();
	return visible;
}

bool
visibility_sees_order(OrderTable *table, const Datum *key)
{
	return sees_order(table, key, GetUserId(), READ_CURRENT);
}

bool
visibility_role_sees(OrderTable *table, const Datum *key, Oid role)
{
	return sees_order(table, key, role, READ_CALLER);
}

static void
hide_invisible(CancelTarget *targets, int count)
{
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN &&
			!visibility_sees_order(targets[i].table, targets[i].key))
			targets[i].result = TARGET_NOT_FOUND;
}

/*
 * Visibility is checked before locking, so that a role never locks or waits
 * for an order it may not see, and again after locking, since the order may
 * have been updated while we waited.
 */
void
visibility_filter(CancelTarget *targets, int count, bool skip_locked)
{
	RunAsScope scope;

	if (visibility_sees_all(targets[0].table->relid))
		return;
	hide_invisible(targets, count);
	run_as_owner_spi(&scope, targets[0].table);
	order_lock(targets, count, skip_locked);
	run_as_end_spi(&scope);
	hide_invisible(targets, count);
}

/* On the whole table, or on any column? */
static bool
may_select(Oid relid)
{
	return pg_class_aclcheck(relid, GetUserId(), ACL_SELECT) == ACLCHECK_OK ||
		pg_attribute_aclcheck_all(relid, GetUserId(), ACL_SELECT,
								  ACLMASK_ANY) == ACLCHECK_OK;
}

void
visibility_check_select(const OrderTable *table)
{
	if (!may_select(table->relid))
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, table->name);
}

void
visibility_redact(const OrderTable *table, bool all_rows, Refusal *refusal)
{
	if (all_rows ? visibility_sees_all(table->relid) :
				   may_select(table->relid))
		return;
	refusal->message = psprintf("operation on an order of %s is not allowed",
								table->label);
	refusal->detail = NULL;
	refusal->hint =
		"You do not have permission to read the order, so the reason is not shown.";
}
