/*
 * record_owner.c — whether record tables may be read by SQL as the extension's
 * owner
 */
#include "postgres.h"

#include "fmgr.h"

#include "config/config_table.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_is_trusted);
PG_FUNCTION_INFO_V1(ordcancel_check_record_table);

/* (records): false also if there is no such table. */
Datum
ordcancel_is_trusted(PG_FUNCTION_ARGS)
{
	Oid owner = config_relation_owner(PG_GETARG_OID(0));

	PG_RETURN_BOOL(OidIsValid(owner) && config_trusts(owner));
}

/* (records): raises OC014 if it is missing or belongs to another role. */
Datum
ordcancel_check_record_table(PG_FUNCTION_ARGS)
{
	(void) record_table_label(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}
