/*
 * consumer_gate.c — checks for the functions on consumers in PL/pgSQL
 *
 * Like setup_gate.c: the C functions below are what SQL sees under the public
 * names; the work is done in schema ordcancel_internal.
 */
#include "postgres.h"

#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"

#include "base/compat.h"
#include "config/config_table.h"
#include "consumer/consumer.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/setup_gate.h"

PG_FUNCTION_INFO_V1(ordcancel_create_consumer);
PG_FUNCTION_INFO_V1(ordcancel_consumer_gate);

/* Arguments of create_consumer. */
#define ARG_ORDERS 1
#define ARG_OWNER 4

static void
ignore_row(HeapTuple row, TupleDesc desc, void *arg)
{
}

/* The events tell about every order, so the owner must see every order. */
static void
check_orders(Oid orders, Oid owner)
{
	LockRelationOid(orders, AccessShareLock);
	if (config_scan("order_table", orders, ignore_row, NULL) == 0)
		refusal_raise_not_attached(orders);
	if (pg_class_aclcheck(orders, owner, ACL_SELECT) != ACLCHECK_OK)
		aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(orders));
	if (check_enable_rls(orders, owner, true) == RLS_ENABLED)
		ereport(
			ERROR,
			(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
			 errmsg("role \"%s\" does not see all orders of table \"%s\"",
					GetUserNameFromId(owner, false), get_rel_name(orders)),
			 errdetail(
				 "Row-level security applies to the role, and a consumer gets the events of every order.")));
}

static void
check_owner(Oid owner)
{
	if (GetUserNameFromId(owner, true) == NULL)
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("role with OID %u does not exist", owner)));
	if (!has_privs_of_role(GetUserId(), owner))
		ereport(ERROR,
				(errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
				 errmsg("must be a member of role \"%s\"",
						GetUserNameFromId(owner, false))));
}

/* create_consumer(name, orders, types, start_at, owner) */
Datum
ordcancel_create_consumer(PG_FUNCTION_ARGS)
{
	NullableDatum *owner = &fcinfo->args[ARG_OWNER];

	args_check_name(args_text(fcinfo, 0), "name of the consumer");
	if (owner->isnull)
		*owner = (NullableDatum){ObjectIdGetDatum(GetUserId()), false};
	check_owner(DatumGetObjectId(owner->value));
	if (!PG_ARGISNULL(ARG_ORDERS))
		check_orders(PG_GETARG_OID(ARG_ORDERS),
					 DatumGetObjectId(owner->value));
	return setup_gate_call(fcinfo);
}

/*
 * For functions whose first argument is the name of a consumer.  Locks it, and
 * checks that the caller is a member of its owner.
 */
Datum
ordcancel_consumer_gate(PG_FUNCTION_ARGS)
{
	Consumer c;

	SPI_connect();
	consumer_open(&c, args_text(fcinfo, 0), true);
	SPI_finish();
	return setup_gate_call(fcinfo);
}
