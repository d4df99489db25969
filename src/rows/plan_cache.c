/*
 * plan_cache.c — runs prepared statements on an order table and its records
 */
#include "postgres.h"

#include "access/xact.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/snapmgr.h"
#include "utils/timestamp.h"

#include "base/read_snapshot.h"
#include "base/result_row.h"
#include "config/run_as.h"
#include "rows/plan_cache.h"
#include "rows/record_open.h"

void
parameter_value(Parameters *p, Oid type, Datum value, bool isnull)
{
	Assert(p->count < PARAMETERS_MAX);
	p->types[p->count] = type;
	p->values[p->count] = value;
	p->nulls[p->count] = isnull ? 'n' : ' ';
	p->count++;
}

void
parameter_text(Parameters *p, const char *text)
{
	parameter_value(p, TEXTOID, text ? CStringGetTextDatum(text) : (Datum) 0,
					text == NULL);
}

void
parameter_time(Parameters *p, const TimestampTz *at)
{
	parameter_value(p, TIMESTAMPTZOID,
					at ? TimestampTzGetDatum(*at) : (Datum) 0, at == NULL);
}

void
parameter_numeric(Parameters *p, Numeric number)
{
	parameter_value(p, NUMERICOID, NumericGetDatum(number), number == NULL);
}

void
parameter_key(Parameters *p, const OrderTable *table, const Datum *key)
{
	for (int i = 0; i < table->nkeys; i++)
		parameter_value(p, table->keys[i].type, key[i], false);
}

static SPIPlanPtr
prepare(const char *sql, const Parameters *p)
{
	SPIPlanPtr plan = SPI_prepare(sql, p->count, (Oid *) p->types);

	if (plan == NULL)
		elog(ERROR, "SPI_prepare failed: %s",
			 SPI_result_code_string(SPI_result));
	return plan;
}

static void
free_plan(void *arg)
{
	SPI_freeplan(arg);
}

/*
 * Frees a plan at the end of the transaction: it may be running in an outer
 * call.
 */
static void
free_plan_at_end(SPIPlanPtr plan)
{
	MemoryContextCallback *cleanup = MemoryContextAllocZero(
		TopTransactionContext, sizeof(MemoryContextCallback));

	cleanup->func = free_plan;
	cleanup->arg = plan;
	MemoryContextRegisterResetCallback(TopTransactionContext, cleanup);
}

static SPIPlanPtr
statement_plan(OrderTable *table, StatementKind kind, StatementText text,
			   const Parameters *p)
{
	SPIPlanPtr	  *plan = &table->statements[kind];
	SPIPlanPtr	   fresh;
	StringInfoData sql;

	if (*plan && SPI_plan_is_valid(*plan))
		return *plan;
	if (*plan)
	{
		SPIPlanPtr stale = *plan;

		*plan = NULL;
		free_plan_at_end(stale);
	}
	initStringInfo(&sql);
	text(&sql, table);
	fresh = prepare(sql.data, p);
	SPI_keepplan(fresh);
	*plan = fresh;
	pfree(sql.data);
	return fresh;
}

/* Values of other types than the plan's would be read as something else. */
static void
check_types(SPIPlanPtr plan, const Parameters *p)
{
	bool same = SPI_getargcount(plan) == p->count;

	for (int i = 0; i < p->count && same; i++)
		same = SPI_getargtypeid(plan, i) == p->types[i];
	if (!same)
		elog(ERROR, "parameters do not match the prepared statement");
}

static int
execute(SPIPlanPtr plan, const Parameters *p, ReadSnapshot snapshot)
{
	check_types(plan, p);

	/* At READ COMMITTED, SPI takes a new snapshot anyway. */
	if (snapshot == READ_LATEST && IsolationUsesXactSnapshot())
		return SPI_execute_snapshot(plan, (Datum *) p->values, p->nulls,
									GetLatestSnapshot(), InvalidSnapshot,
									false, true, 0);
	return SPI_execute_plan(plan, (Datum *) p->values, p->nulls,
							snapshot == READ_CALLER, 0);
}

/*
 * What finds the records of an order has an index.  A plan that was made while the
 * table was empty would scan the table, until it is analyzed.  Until the end of
 * the scope.
 */
static void
prefer_indexes(void)
{
	(void) set_config_option("enable_seqscan", "off", PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

uint64
plan_cache_run(OrderTable *table, StatementKind kind, StatementText text,
			   const Parameters *p, ReadSnapshot snapshot)
{
	MemoryContext caller = CurrentMemoryContext;
	bool		  on_records = kind >= STATEMENT_FIND_REQUEST_KEY;
	RunAsScope	  scope;
	SPIPlanPtr	  plan;
	int			  result;

	if (on_records)
	{
		record_check_owners(table);
		run_as_extension_owner(&scope);
		prefer_indexes();
	}
	plan = statement_plan(table, kind, text, p);
	result = execute(plan, p, snapshot);
	if (on_records)
		run_as_end(&scope);
	MemoryContextSwitchTo(caller);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
plan_cache_run_once(OrderTable *table, StatementText text, const Parameters *p)
{
	MemoryContext  caller = CurrentMemoryContext;
	StringInfoData sql;
	SPIPlanPtr	   plan;
	int			   result;

	initStringInfo(&sql);
	text(&sql, table);
	plan = prepare(sql.data, p);
	result = execute(plan, p, READ_CURRENT);
	SPI_freeplan(plan);
	MemoryContextSwitchTo(caller);
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

static uint64
run_on_extension(SPIPlanPtr *plan, const char *sql, const Parameters *p,
				 ReadSnapshot snapshot)
{
	MemoryContext caller = CurrentMemoryContext;
	RunAsScope	  scope;
	int			  result;

	run_as_extension_owner(&scope);
	if (*plan == NULL)
	{
		*plan = SPI_prepare(sql, p->count, (Oid *) p->types);
		if (*plan == NULL || SPI_keepplan(*plan) != 0)
			elog(ERROR, "SPI_prepare failed: %s",
				 SPI_result_code_string(SPI_result));
	}
	result = execute(*plan, p, snapshot);
	run_as_end(&scope);
	MemoryContextSwitchTo(caller); /* not SPI's */
	if (result < 0)
		elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(result));
	return SPI_processed;
}

uint64
extension_run(SPIPlanPtr *plan, const char *sql, const Parameters *p)
{
	return run_on_extension(plan, sql, p, READ_CURRENT);
}

uint64
extension_read_latest(SPIPlanPtr *plan, const char *sql, const Parameters *p)
{
	return run_on_extension(plan, sql, p, READ_LATEST);
}

NullableDatum
result_column(int column)
{
	NullableDatum result;

	result.value = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								 column, &result.isnull);
	return result;
}

char *
result_text(int column)
{
	NullableDatum result = result_column(column);

	return nullable_text(result.value, result.isnull);
}
