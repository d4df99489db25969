/*
 * report_reader.c — which records a report shows to its reader
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/lmgr.h"
#include "utils/guc.h"
#include "utils/memutils.h"

#include "base/subxact.h"
#include "config/config_table.h"
#include "entry/args.h"
#include "entry/report_reader.h"
#include "entry/setup_gate.h"
#include "rows/foreign_code.h"

PG_FUNCTION_INFO_V1(ordcancel_reads_plainly);

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

/* Can keys be read without code of the owner, who could change policies then? */
static bool
keys_are_plain(const OrderTable *table)
{
	for (int i = 0; i < table->nkeys; i++)
		if (!table->keys[i].input_is_plain)
			return false;
	return true;
}

typedef struct Fitness
{
	Oid	 orders;
	Oid	 role;
	bool fits;
} Fitness;

static void
try_table(void *arg)
{
	Fitness	   *fitness = arg;
	OrderTable *table = find_table(fitness->orders);

	fitness->fits = table &&
		(keys_are_plain(table) || table->owner == fitness->role ||
		 superuser_arg(table->owner));
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
	Fitness fitness = {.orders = orders, .role = role};

	if (foreign_code_runs(orders, role))
		return false;
	SPI_connect();
	if (subxact_try(try_table, &fitness) != NULL)
		fitness.fits = false;
	SPI_finish();
	return fitness.fits;
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

typedef struct Sight
{
	const ReportReader *reader;
	Datum				order_key;
	bool				visible;
} Sight;

static void
look(void *arg)
{
	Sight		*sight = arg;
	CancelTarget c = {.table = find_table(sight->reader->orders)};

	if (c.table == NULL)
		return;
	args_read_key(&c, sight->order_key, false, TEXTOID);
	sight->visible = visibility_role_sees(c.table, c.key, sight->reader->role);
}

/* What an error would say of the order is not for the reader. */
static void
try_look(Sight *sight)
{
	MemoryContext caller = CurrentMemoryContext;

	SPI_connect();
	MemoryContextSwitchTo(caller);
	if (subxact_try(look, sight) != NULL)
		sight->visible = false;
	SPI_finish();
}

/*
 * An order whose key a domain no longer allows, or at which a policy fails, is
 * not visible: it must not keep the others from view.
 */
bool
report_reader_sees(const ReportReader *reader, Datum order_key)
{
	Sight sight = {.reader = reader, .order_key = order_key};
	int	  nest;

	if (reader->access != ORDERS_BY_ROW)
		return reader->access == ORDERS_ALL;
	nest = NewGUCNestLevel();
	if (is_in_gate())
		setup_gate_use_caller_settings();
	try_look(&sight);
	AtEOXact_GUC(true, nest);
	return sight.visible;
}

/* (orders): can a view read the orders without code of the table's owner? */
Datum
ordcancel_reads_plainly(PG_FUNCTION_ARGS)
{
	PG_RETURN_BOOL(!foreign_code_runs(PG_GETARG_OID(0), GetUserId()));
}
