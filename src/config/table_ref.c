/*
 * table_ref.c — the type ordcancel_internal.table_ref
 *
 * The configuration refers to tables by this type.  A dump that leaves out an
 * order table can be restored, since a missing table is read as 0.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "nodes/makefuncs.h"
#include "utils/builtins.h"
#include "utils/regproc.h"
#include "utils/syscache.h"

#include "base/compat.h"

PG_FUNCTION_INFO_V1(ordcancel_table_ref_in);

/* The output function writes the OID of a table that was dropped. */
static Oid
table_of_number(const char *text)
{
	Oid relid = DatumGetObjectId(
		DirectFunctionCall1(oidin, CStringGetDatum(text)));

	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) ? relid :
																	InvalidOid;
}

/* Like regclassin(), but returns 0 with a NOTICE if there is no such table. */
Datum
ordcancel_table_ref_in(PG_FUNCTION_ARGS)
{
	char *text = PG_GETARG_CSTRING(0);
	Oid	  relid;

	if (strcmp(text, "-") == 0)
		relid = InvalidOid;
	else if (text[0] != '\0' && strspn(text, "0123456789") == strlen(text))
		relid = table_of_number(text);
	else
		relid = RangeVarGetRelid(makeRangeVarFromNameList(name_list(text)),
								 NoLock, true);
	if (!OidIsValid(relid))
		ereport(
			NOTICE,
			(errmsg(
				"table %s does not exist, skipping its ordcancel configuration",
				text)));
	PG_RETURN_OID(relid);
}
