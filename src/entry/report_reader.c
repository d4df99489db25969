/*
 * report_reader.c — which records a report shows to its reader
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/guc.h"

#include "base/subxact.h"
#include "config/config_table.h"
#include "entry/args.h"
#include "entry/report_reader.h"
#include "entry/setup_gate.h"
#include "rows/foreign_code.h"

/*
 * Code of the extension in a gate reads for the caller of the gate.  Other code
 * that runs meanwhile, such as a policy of row-level security, reads for itself.
 */
static bool
is_in_gate(void)
{
	return OidIsValid(setup_gate_caller()) && GetUserId() == config_owner();
}

static OrderTable *
find_table(Oid orders)
{
	LockRelationOid(orders, AccessShareLock);
	return order_table_find(orders);
}

static void
try_table(void *arg)
{
	(void) find_table(*(Oid *) arg);
}

/*
 * A view shows all tables, so its reader has chosen none of them.  One whose
 * policies, or what else is evaluated to read it, call functions of its owner is
 * left out: these would run with the rights of the reader.  So is one that does
 * not match its configuration, which would make the view fail.
 */
static bool
is_fit_for_views(Oid orders, Oid role)
{
	bool fit;

	if (foreign_code_runs(orders, role))
		return false;
	SPI_connect();
	fit = subxact_try(try_table, &orders) == NULL;
	SPI_finish();
	return fit;
}

ReportReader
report_reader(Oid orders)
{
	bool		 named = is_in_gate(); /* the caller gave the table */
	ReportReader reader = {.role = named ? setup_gate_caller() : GetUserId(),
						   .orders = orders};

	reader.access = visibility_access(orders, reader.role);
	if (reader.access == ORDERS_BY_ROW && !named &&
		!is_fit_for_views(orders, reader.role))
		reader.access = ORDERS_NONE;
	return reader;
}

typedef struct KeyOfRecord
{
	CancelTarget target;
	Datum		 text;
} KeyOfRecord;

static void
read_key(void *arg)
{
	KeyOfRecord *record = arg;

	args_read_key(&record->target, record->text, false, TEXTOID);
}

/* False if a check of a domain refuses the key now. */
static bool
try_key(KeyOfRecord *record)
{
	MemoryContext	  caller = CurrentMemoryContext;
	const OrderTable *table = record->target.table;
	bool			  plain = true;
	bool			  valid;

	for (int i = 0; i < table->nkeys; i++)
		plain &= table->keys[i].input_is_plain;
	if (plain)
	{
		read_key(record);
		return true;
	}
	SPI_connect();
	MemoryContextSwitchTo(caller);
	valid = subxact_try(read_key, record) == NULL;
	SPI_finish();
	return valid;
}

bool
report_reader_sees(const ReportReader *reader, Datum order_key)
{
	KeyOfRecord record = {.text = order_key};
	int			nest;
	bool		visible;

	if (reader->access != ORDERS_BY_ROW)
		return reader->access == ORDERS_ALL;
	record.target.table = find_table(reader->orders);
	if (record.target.table == NULL || !try_key(&record))
		return false;
	nest = NewGUCNestLevel();
	if (is_in_gate())
		setup_gate_use_caller_settings();
	visible = visibility_role_sees(record.target.table, record.target.key,
								   reader->role);
	AtEOXact_GUC(true, nest);
	return visible;
}
