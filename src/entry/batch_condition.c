/*
 * batch_condition.c — evaluates the condition of a batch, as its author
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "config/run_as.h"
#include "entry/batch_condition.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"
#include "rows/visibility.h"

static void
set_for_author(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * Switches to the author, and to the settings under which the condition was
 * written.  The condition is the author's code, so a security-restricted
 * operation is not needed.  Row-level security applies as in the author's own
 * queries, also if the author owns the table.
 */
static void
run_as_author(RunAsScope *scope, const Batch *batch)
{
	run_as_role(scope, batch->author);
	SetUserIdAndSecContext(batch->author,
						   (scope->security & ~SECURITY_NOFORCE_RLS) |
							   SECURITY_LOCAL_USERID_CHANGE);
	set_for_author("search_path", batch->search_path);
	set_for_author("DateStyle", batch->date_style);
	set_for_author("TimeZone", batch->time_zone);
}

/*
 * The planner evaluates expressions and predicates of the table's indexes,
 * which are the owner's code, with the rights of the role that runs the query.
 * Any query over another role's table has this risk, and it cannot be avoided
 * if row-level security applies to the author.  But a superuser must not have
 * to trust the owner of the table.  So an author who sees all rows, and does
 * not have the privileges of the owner, evaluates the condition over rows that
 * were read as the owner.
 */
bool
batch_reads_as_owner(const OrderTable *table, const Batch *batch)
{
	RunAsScope scope;
	bool	   sees_all;

	if (has_privs_of_role(table->owner, batch->author))
		return false;
	run_as_author(&scope, batch);
	sees_all = visibility_sees_all(table->relid);
	run_as_end(&scope);
	return sees_all;
}

void
batch_run_as_reader(RunAsScope *scope, const OrderTable *table,
					const Batch *batch, bool as_owner)
{
	if (as_owner)
		run_as_owner_restricted(scope, table);
	else
		run_as_author(scope, batch);
}

/* Not just "name", which would be a column if the table had one. */
static char *
whole_row_expr(const OrderTable *table)
{
	return psprintf("(%s.*)::%s", quote_identifier(table->name), table->label);
}

static void
append_source(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, " FROM %s%s AS %s WHERE ", order_only(table),
					 table->label, quote_identifier(table->name));
}

/* The newline after the condition ends a comment in it. */
char *
batch_choose_text(const OrderTable *table, const Batch *batch, bool whole)
{
	StringInfoData sql;
	const char	  *name = quote_identifier(table->name);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, "%s.%s, ", name,
						 quote_identifier(table->keys[i].name));
	appendStringInfo(&sql, "%s.ctid, %s.xmin%s", name, name,
					 whole ? psprintf(", %s", whole_row_expr(table)) : "");
	append_source(&sql, table);
	appendStringInfo(&sql, "(%s\n) ORDER BY ",
					 whole ? "true" : batch->condition);
	order_key_sort(&sql, table, name);
	return sql.data;
}

static char *
recheck_text(const OrderTable *table, const Batch *batch, bool whole)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s", whole ? whole_row_expr(table) : "");
	append_source(&sql, table);
	order_key_qual(&sql, table, quote_identifier(table->name), NULL, 1);
	if (!whole)
		appendStringInfo(&sql, " AND (%s\n)", batch->condition);
	return sql.data;
}

bool *
batch_rows_that_match(const OrderTable *table, const Batch *batch, Datum *rows,
					  int count)
{
	Oid	  type = get_rel_type_id(table->relid);
	Oid	  array_type = get_array_type(type);
	Datum array = PointerGetDatum(
		construct_array(rows, count, type, -1, false, TYPALIGN_DOUBLE));
	bool		 *matches = palloc(Max(count, 1) * sizeof(bool));
	RunAsScope	  scope;
	bool		  isnull;
	MemoryContext caller = CurrentMemoryContext;

	run_as_author(&scope, batch);
	SPI_connect();
	if (SPI_execute_with_args(
			psprintf(
				"SELECT (%s\n)::pg_catalog.bool FROM pg_catalog.unnest($1) AS %s",
				batch->condition, quote_identifier(table->name)),
			1, &array_type, &array, NULL, false, 0) != SPI_OK_SELECT ||
		SPI_processed != count)
		ereport(
			ERROR,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg(
				 "condition must be a single expression over the order row")));
	for (int i = 0; i < count; i++)
	{
		Datum value = SPI_getbinval(SPI_tuptable->vals[i],
									SPI_tuptable->tupdesc, 1, &isnull);

		matches[i] = !isnull && DatumGetBool(value);
	}
	SPI_finish();
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
	return matches;
}

/* Evaluates the condition for an order that has changed since. */
static bool
recheck(const CancelTarget *c, const Batch *batch, bool whole)
{
	Parameters p = {0};
	RunAsScope scope;
	bool	   matches;
	bool	   isnull;
	Datum	   row;

	parameter_key(&p, c->table, c->key);
	batch_run_as_reader(&scope, c->table, batch, whole);
	SPI_connect();
	if (SPI_execute_with_args(recheck_text(c->table, batch, whole), p.count,
							  p.types, p.values, p.nulls, false,
							  1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s",
			 SPI_result_code_string(SPI_result));
	matches = SPI_processed > 0;
	run_as_end(&scope);
	if (matches && whole)
	{
		row = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
							&isnull);
		matches = batch_rows_that_match(c->table, batch, &row, 1)[0];
	}
	SPI_finish();
	return matches;
}

/*
 * If the locked row is the version that was selected, it still meets the
 * condition.  Otherwise the condition is evaluated again.
 */
bool
batch_still_matches(CancelTarget *c, void *arg)
{
	Batch	   *batch = arg;
	RowVersion *version = batch->versions ?
		&batch->versions[c - batch->targets] :
		NULL;

	if (version && ItemPointerIsValid(&c->tid) &&
		ItemPointerEquals(&version->tid, &c->tid) && version->xmin == c->xmin)
		return true;
	return recheck(c, batch, batch_reads_as_owner(c->table, batch));
}
