/*
 * report_reader.c — which records a report shows to its reader
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "miscadmin.h"
#include "storage/lmgr.h"

#include "config/config_table.h"
#include "entry/args.h"
#include "entry/report_reader.h"
#include "entry/setup_gate.h"

/*
 * Code of the extension in a gate reads for the caller of the gate.  Other code
 * that runs meanwhile, such as a policy of row-level security, reads for itself.
 */
static Oid
reading_role(void)
{
	Oid caller = setup_gate_caller();

	return OidIsValid(caller) && GetUserId() == config_owner() ? caller :
																 GetUserId();
}

ReportReader
report_reader(Oid orders)
{
	ReportReader reader = {.role = reading_role(), .orders = orders};

	reader.access = visibility_access(orders, reader.role);
	return reader;
}

bool
report_reader_sees(const ReportReader *reader, Datum order_key)
{
	CancelTarget c = {0};

	if (reader->access != ORDERS_BY_ROW)
		return reader->access == ORDERS_ALL;
	LockRelationOid(reader->orders, AccessShareLock);
	c.table = order_table_find(reader->orders);
	if (c.table == NULL)
		return false;
	args_read_key(&c, order_key, false, TEXTOID);
	return visibility_role_sees(c.table, c.key, reader->role);
}
