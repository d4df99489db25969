/*
 * batch_condition.c — evaluates the condition of a batch, as its author
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "config/item_table.h"
#include "config/run_as.h"
#include "entry/batch_condition.h"
#include "rows/item_row.h"
#include "rows/key.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"
#include "rows/visibility.h"

static Oid
source_relid(const BatchSource *s)
{
	return s->items ? s->items->relid : s->table->relid;
}

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
batch_reads_as_owner(const BatchSource *s, const Batch *batch)
{
	const OrderTable *table = s->table;
	RunAsScope		  scope;
	bool			  sees_all;

	if (has_privs_of_role(table->owner, batch->author))
		return false;
	run_as_author(&scope, batch);
	sees_all = visibility_sees_all(source_relid(s));
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

static const char *
source_label(const BatchSource *s)
{
	return s->items ? s->items->label : s->table->sql;
}

/* Conditions call the row by the name of the table. */
static const char *
source_name(const BatchSource *s)
{
	return quote_identifier(s->items ? s->items->name : s->table->name);
}

/* Not just "name", which would be a column if the table had one. */
static char *
whole_row_expr(const BatchSource *s)
{
	return psprintf("(%s.*)::%s", source_name(s), source_label(s));
}

static void
append_source(StringInfo sql, const BatchSource *s)
{
	bool partitioned = s->items ? s->items->partitioned :
								  s->table->partitioned;

	appendStringInfo(sql, " FROM %s%s AS %s WHERE ",
					 partitioned ? "" : "ONLY ", source_label(s),
					 source_name(s));
}

static void
append_columns(StringInfo sql, const BatchSource *s, const Column *columns,
			   int count)
{
	for (int i = 0; i < count; i++)
		appendStringInfo(sql, "%s.%s, ", source_name(s),
						 quote_identifier(columns[i].name));
}

/* The status of an item as text, as C code reads it. */
static char *
status_expr(const BatchSource *s)
{
	const Column *status = &s->items->status;
	const char	 *name = quote_identifier(status->name);

	if (status->base == BOOLOID)
		return psprintf("%s.%s::pg_catalog.bool::pg_catalog.text",
						source_name(s), name);
	return psprintf(
		status->blank_padded ?
			"pg_catalog.rtrim(pg_catalog.format('%%s', %s.%s), ' ')" :
			"pg_catalog.format('%%s', %s.%s)",
		source_name(s), name);
}

/* Items whose units are all canceled have nothing to be processed. */
static void
append_left(StringInfo sql, const BatchSource *s)
{
	const ItemTable *items = s->items;
	const char		*name = source_name(s);

	if (items->canceled.attnum)
		appendStringInfo(sql,
						 "(%s.%s::pg_catalog.numeric OPERATOR(pg_catalog.>)"
						 " COALESCE(%s.%s::pg_catalog.numeric, 0)) AND ",
						 name, quote_identifier(items->quantity.name), name,
						 quote_identifier(items->canceled.name));
	else
		appendStringInfo(sql,
						 "(COALESCE(%s, '') OPERATOR(pg_catalog.<>) %s) AND ",
						 status_expr(s),
						 quote_literal_cstr(items->canceled_status));
}

static void
append_order_sort(StringInfo sql, const BatchSource *s)
{
	for (int i = 0; i < s->table->nkeys; i++)
	{
		Column column = s->items->order_keys[i];

		/* As orders are sorted, if the column is of the same type. */
		column.less = s->table->keys[i].less;
		if (i > 0)
			appendStringInfoString(sql, ", ");
		if (column.type == s->table->keys[i].type)
			key_sort(sql, &column, 1, source_name(s));
		else
			appendStringInfo(sql, "%s.%s", source_name(s),
							 quote_identifier(column.name));
	}
	appendStringInfoString(sql, ", ");
	key_sort(sql, s->items->keys, s->items->nkeys, source_name(s));
}

/*
 * The newline after the condition ends a comment in it.  one_order: of items,
 * only those of the order in parameters 1 to n.
 */
char *
batch_choose_text(const BatchSource *s, const Batch *batch, bool whole,
				  bool one_order)
{
	StringInfoData sql;
	const char	  *name = source_name(s);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	if (s->items)
	{
		append_columns(&sql, s, s->items->order_keys, s->table->nkeys);
		append_columns(&sql, s, s->items->keys, s->items->nkeys);
	}
	else
		append_columns(&sql, s, s->table->keys, s->table->nkeys);
	appendStringInfo(&sql, "%s.ctid, %s.xmin, %s.tableoid%s", name, name, name,
					 whole ? psprintf(", %s", whole_row_expr(s)) : "");
	append_source(&sql, s);
	if (one_order)
	{
		item_order_qual(&sql, s->items, name);
		appendStringInfoString(&sql, " AND ");
	}
	if (s->items)
		append_left(&sql, s);
	appendStringInfo(&sql, "(%s\n) ORDER BY ",
					 whole ? "true" : batch->condition);
	if (s->items)
		append_order_sort(&sql, s);
	else
		order_key_sort(&sql, s->table, name);
	return sql.data;
}

static char *
recheck_text(const BatchSource *s, const Batch *batch, bool whole)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfo(&sql, "SELECT %s", whole ? whole_row_expr(s) : "");
	append_source(&sql, s);
	if (s->items)
		key_qual(&sql, s->items->keys, s->items->nkeys, source_name(s), NULL,
				 1);
	else
		order_key_qual(&sql, s->table, source_name(s), NULL, 1);
	if (!whole)
		appendStringInfo(&sql, " AND (%s\n)", batch->condition);
	return sql.data;
}

bool *
batch_rows_that_match(const BatchSource *s, const Batch *batch, Datum *rows,
					  int count)
{
	Oid	  type = get_rel_type_id(source_relid(s));
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
				batch->condition, source_name(s)),
			1, &array_type, &array, NULL, false, 0) != SPI_OK_SELECT ||
		SPI_processed != count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "condition must be a single expression over the row")));
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

/* Evaluates the condition for a row that has changed since. */
static bool
recheck(const BatchSource *s, const Parameters *p, const Batch *batch)
{
	bool	   whole = batch_reads_as_owner(s, batch);
	RunAsScope scope;
	bool	   matches;
	bool	   isnull;
	Datum	   row;

	batch_run_as_reader(&scope, s->table, batch, whole);
	SPI_connect();
	if (SPI_execute_with_args(recheck_text(s, batch, whole), p->count,
							  (Oid *) p->types, (Datum *) p->values, p->nulls,
							  false, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s",
			 SPI_result_code_string(SPI_result));
	matches = SPI_processed > 0;
	run_as_end(&scope);
	if (matches && whole)
	{
		row = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1,
							&isnull);
		matches = batch_rows_that_match(s, batch, &row, 1)[0];
	}
	SPI_finish();
	return matches;
}

/* A version that is not known, as of an item of an order that waited, is none. */
static bool
same_version(const ItemPointerData *a, TransactionId a_xmin,
			 const ItemPointerData *b, TransactionId b_xmin)
{
	return ItemPointerIsValid(a) && ItemPointerIsValid(b) &&
		ItemPointerEquals((ItemPointer) a, (ItemPointer) b) &&
		a_xmin == b_xmin;
}

/*
 * If the locked row is the version that was selected, it still meets the
 * condition.  Otherwise the condition is evaluated again.
 */
bool
batch_still_matches(CancelTarget *c, void *arg)
{
	Batch	   *batch = arg;
	BatchSource source = {c->table, NULL};
	Parameters	p = {0};
	RowVersion *version = batch->versions ?
		&batch->versions[c - batch->targets] :
		NULL;

	if (version && version->place == c->place &&
		same_version(&version->tid, version->xmin, &c->tid, c->xmin))
		return true;
	parameter_key(&p, c->table, c->key);
	return recheck(&source, &p, batch);
}

bool
batch_item_still_matches(const CancelTarget *c, const ItemTarget *item,
						 const ItemArg *given, void *batch)
{
	BatchSource source = {c->table, c->item_table};
	Parameters	p = {0};

	if (same_version(&given->tid, given->xmin, &item->tid, item->xmin))
		return true;
	for (int i = 0; i < source.items->nkeys; i++)
		parameter_value(&p, source.items->keys[i].type, item->key[i], false);
	return recheck(&source, &p, batch);
}
