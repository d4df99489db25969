/*
 * record_owner.c — whether record tables may be read by SQL as the extension's
 * owner
 */
#include "postgres.h"

#include "catalog/pg_inherits.h"
#include "fmgr.h"
#include "storage/lockdefs.h"

#include "config/config_table.h"
#include "rows/record_open.h"

PG_FUNCTION_INFO_V1(ordcancel_is_trusted);
PG_FUNCTION_INFO_V1(ordcancel_find_foreign);
PG_FUNCTION_INFO_V1(ordcancel_lock_records);
PG_FUNCTION_INFO_V1(ordcancel_check_record_table);

/* (records): false also if there is no such table. */
Datum
ordcancel_is_trusted(PG_FUNCTION_ARGS)
{
	Oid relid = PG_GETARG_OID(0);

	PG_RETURN_BOOL(OidIsValid(config_relation_owner(relid)) &&
				   !OidIsValid(record_find_foreign(relid)));
}

/* (records): the table of those that inherit from it, or itself; or NULL */
Datum
ordcancel_find_foreign(PG_FUNCTION_ARGS)
{
	Oid foreign = record_find_foreign(PG_GETARG_OID(0));

	if (!OidIsValid(foreign))
		PG_RETURN_NULL();
	PG_RETURN_OID(foreign);
}

/* (records): with those that inherit from it, by OID: nobody can rename it. */
Datum
ordcancel_lock_records(PG_FUNCTION_ARGS)
{
	(void) find_all_inheritors(PG_GETARG_OID(0), AccessExclusiveLock, NULL);
	PG_RETURN_VOID();
}

/* (records): raises OC014 if it is missing, or somebody else owns it. */
Datum
ordcancel_check_record_table(PG_FUNCTION_ARGS)
{
	record_check_owner(PG_GETARG_OID(0));
	PG_RETURN_VOID();
}
