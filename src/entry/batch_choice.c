/*
 * batch_choice.c — which orders a batch is about
 *
 * They are chosen once, by one statement, and kept in memory or a temporary
 * file in the order of their keys.  What was chosen is cancelled only if the
 * condition still holds when it is locked.
 */
#include "postgres.h"

#include "catalog/namespace.h"
#include "catalog/pg_type.h"
#include "executor/executor.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "config/run_as.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/cancel_batch.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"

/* So many rows are fetched at once. */
#define FETCH_COUNT 1000

/* And so many when they are fetched whole. */
#define FETCH_WHOLE 100

static void
set_for_author(const char *name, const char *value)
{
	(void) set_config_option(name, value, PGC_USERSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
}

/*
 * The author's own code runs here, with the settings that it was given, and
 * sees what row security shows the author, who may be the owner.
 */
static void
author_enter(RunAsScope *scope, const Batch *batch)
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
 * A query over the table is planned with its indexes, whose expressions are
 * the owner's code and would run with the author's rights.  That is so with
 * any query over the table of somebody else, and cannot be helped where row
 * security needs it; but a superuser who calls us must not have to trust the
 * owner.  Then the rows are read as the owner, and the condition is asked of
 * the rows alone.
 */
static bool
reads_as_owner(const OrderTable *table, const Batch *batch)
{
	RunAsScope scope;
	bool	   sees_all;

	if (has_privs_of_role(table->owner, batch->author))
		return false;
	author_enter(&scope, batch);
	sees_all = visibility_sees_all(table->relid);
	run_as_end(&scope);
	return sees_all;
}

/* "name.*" is written name, which would be a column if there were one. */
static char *
whole_row(const OrderTable *table)
{
	return psprintf("(%s.*)::%s", quote_identifier(table->name), table->label);
}

static void
append_source(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, " FROM %s%s AS %s WHERE ", order_only(table),
					 table->label, quote_identifier(table->name));
}

/* The condition ends on a line of its own: a comment in it ends there. */
static char *
choose_text(const OrderTable *table, const Batch *batch, bool whole)
{
	StringInfoData sql;
	const char	  *name = quote_identifier(table->name);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, "%s.%s, ", name,
						 quote_identifier(table->keys[i].name));
	appendStringInfo(&sql, "%s.ctid, %s.xmin%s", name, name,
					 whole ? psprintf(", %s", whole_row(table)) : "");
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
	appendStringInfo(&sql, "SELECT %s", whole ? whole_row(table) : "");
	append_source(&sql, table);
	order_key_qual(&sql, table, quote_identifier(table->name), NULL, 1);
	if (!whole)
		appendStringInfo(&sql, " AND (%s\n)", batch->condition);
	return sql.data;
}

/* Asks the condition, as the author, of rows in an array; which meet it. */
static bool *
rows_that_meet(const OrderTable *table, const Batch *batch, Datum *rows,
			   int count)
{
	Oid	  type = get_rel_type_id(table->relid);
	Oid	  array_type = get_array_type(type);
	Datum array = PointerGetDatum(
		construct_array(rows, count, type, -1, false, TYPALIGN_DOUBLE));
	bool		 *meet = palloc(Max(count, 1) * sizeof(bool));
	RunAsScope	  scope;
	bool		  isnull;
	MemoryContext caller = CurrentMemoryContext;

	author_enter(&scope, batch);
	SPI_connect();
	if (SPI_execute_with_args(
			psprintf(
				"SELECT (%s\n)::pg_catalog.bool FROM pg_catalog.unnest($1) AS %s",
				batch->condition, quote_identifier(table->name)),
			1, &array_type, &array, NULL, false, 0) != SPI_OK_SELECT ||
		SPI_processed != count)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg(
					 "condition must be one expression over the order row")));
	for (int i = 0; i < count; i++)
	{
		Datum value = SPI_getbinval(SPI_tuptable->vals[i],
									SPI_tuptable->tupdesc, 1, &isnull);

		meet[i] = !isnull && DatumGetBool(value);
	}
	SPI_finish();
	run_as_end(&scope);
	MemoryContextSwitchTo(caller);
	return meet;
}

/* The key where the batch stopped; NULL: it begins. */
static Datum *
resume_point(const Batch *batch, const OrderTable *table)
{
	RunAsScope scope;
	Datum	  *key;
	char	  *why;
	bool	   fits;

	if (batch->last_key == NULL)
		return NULL;
	key = palloc(table->nkeys * sizeof(Datum));
	run_as_owner_restricted(&scope, table);
	fits = order_key_read(table, CStringGetTextDatum(batch->last_key), false,
						  TEXTOID, key, &why);
	run_as_end(&scope);
	if (!fits)
		refusal_raise_invalid_policy(psprintf("batch " INT64_FORMAT
											  " cannot be resumed",
											  batch->id),
									 why, "Start a new one.");
	return key;
}

/* Puts a row aside; nothing of it may point into the table. */
static void
keep_row(Batch *batch, const OrderTable *table, HeapTuple row, TupleDesc desc,
		 const Datum *after)
{
	Datum values[INDEX_MAX_KEYS + 2];
	bool  nulls[INDEX_MAX_KEYS + 2];

	for (int i = 0; i < table->nkeys + 2; i++)
	{
		values[i] = SPI_getbinval(row, desc, i + 1, &nulls[i]);
		if (TupleDescAttr(desc, i)->attlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	}
	if (after && order_key_compare(table, values, after) <= 0)
		return;
	tuplestore_putvalues(batch->chosen, batch->chosen_desc, values, nulls);
	batch->left++;
}

/* Those of the rows just fetched that meet the condition; NULL: all. */
static bool *
fetched_that_meet(const OrderTable *table, const Batch *batch,
				  SPITupleTable *fetched, uint64 count)
{
	Datum *rows = palloc(Max(count, 1) * sizeof(Datum));
	bool   isnull;

	for (uint64 i = 0; i < count; i++)
		rows[i] = SPI_getbinval(fetched->vals[i], fetched->tupdesc,
								table->nkeys + 3, &isnull);
	return rows_that_meet(table, batch, rows, count);
}

static void
choose_all(Batch *batch, const OrderTable *table, bool whole,
		   const Datum *after)
{
	MemoryContext keep = CurrentMemoryContext;
	MemoryContext rows = AllocSetContextCreate(keep, "ordcancel batch choice",
											   ALLOCSET_DEFAULT_SIZES);
	RunAsScope	  scope;
	Portal		  cursor = NULL;
	uint64		  count;

	do
	{
		SPITupleTable *fetched;
		bool		  *meet;

		if (whole)
			run_as_owner_restricted(&scope, table);
		else
			author_enter(&scope, batch);
		if (cursor == NULL)
		{
			cursor = SPI_cursor_open_with_args(NULL,
											   choose_text(table, batch,
														   whole),
											   0, NULL, NULL, NULL, false, 0);
			MemoryContextSwitchTo(keep);
			batch->chosen_desc = CreateTemplateTupleDesc(table->nkeys + 2);
			for (int i = 1; i <= table->nkeys + 2; i++)
				TupleDescCopyEntry(batch->chosen_desc, i, cursor->tupDesc, i);
			finalize_tuple_desc(batch->chosen_desc);
		}
		SPI_cursor_fetch(cursor, true, whole ? FETCH_WHOLE : FETCH_COUNT);
		run_as_end(&scope);
		MemoryContextSwitchTo(rows);
		count = SPI_processed;
		fetched = SPI_tuptable;
		meet = whole ? fetched_that_meet(table, batch, fetched, count) : NULL;
		for (uint64 i = 0; i < count; i++)
			if (meet == NULL || meet[i])
				keep_row(batch, table, fetched->vals[i], fetched->tupdesc,
						 after);
		SPI_freetuptable(fetched);
		MemoryContextReset(rows);
	} while (count > 0);
	SPI_cursor_close(cursor);
	MemoryContextSwitchTo(keep);
	MemoryContextDelete(rows);
}

void
batch_choose(Batch *batch)
{
	OrderTable *table = args_table(false, batch->orders, AccessShareLock);
	Datum	   *after = resume_point(batch, table);

	batch->chosen = tuplestore_begin_heap(false, true, work_mem);
	choose_all(batch, table, reads_as_owner(table, batch), after);
}

/*
 * Also after an error.  To close the file writes what it has not written yet:
 * the limit that may have been the error must not keep it.
 */
void
batch_forget_chosen(Batch *batch)
{
	int nest;

	if (batch->chosen == NULL)
		return;
	nest = NewGUCNestLevel();
	(void) set_config_option("temp_file_limit", "-1", PGC_SUSET, PGC_S_SESSION,
							 GUC_ACTION_SAVE, true, 0, false);
	tuplestore_end(batch->chosen);
	batch->chosen = NULL;
	AtEOXact_GUC(true, nest);
}

static void
check_key_types(const Batch *batch)
{
	for (int i = 0; i < batch->table->nkeys; i++)
		if (batch->chosen_desc->natts != batch->table->nkeys + 2 ||
			TupleDescAttr(batch->chosen_desc, i)->atttypid !=
				batch->table->keys[i].type)
			refusal_raise_invalid_policy(
				psprintf("the primary key of %s has changed",
						 batch->table->label),
				"The batch has chosen its orders under another one.", NULL);
}

void
batch_take_chunk(Batch *batch)
{
	OrderTable	   *table = batch->table;
	TupleTableSlot *row = MakeSingleTupleTableSlot(batch->chosen_desc,
												   &TTSOpsMinimalTuple);
	bool			isnull;

	check_key_types(batch);
	batch->targets = palloc0(batch->chunk * sizeof(CancelTarget));
	batch->versions = palloc0(batch->chunk * sizeof(RowVersion));
	batch->count = 0;
	while (batch->count < batch->chunk &&
		   tuplestore_gettupleslot(batch->chosen, true, false, row))
	{
		CancelTarget *c = &batch->targets[batch->count];
		RowVersion	 *version = &batch->versions[batch->count];

		c->table = table;
		c->key = palloc(table->nkeys * sizeof(Datum));
		for (int i = 0; i < table->nkeys; i++)
			c->key[i] = datumCopy(slot_getattr(row, i + 1, &isnull),
								  table->keys[i].typbyval,
								  table->keys[i].typlen);
		version->tid = *(ItemPointer) DatumGetPointer(
			slot_getattr(row, table->nkeys + 1, &isnull));
		version->xmin = DatumGetTransactionId(
			slot_getattr(row, table->nkeys + 2, &isnull));
		batch->count++;
		batch->left--;
	}
	ExecDropSingleTupleTableSlot(row);
}

/* Asks the author's condition again, of an order that has changed. */
static bool
ask_again(const CancelTarget *c, const Batch *batch, bool whole)
{
	Parameters p = {0};
	RunAsScope scope;
	bool	   matches;
	bool	   isnull;
	Datum	   row;

	parameter_key(&p, c->table, c->key);
	if (whole)
		run_as_owner_restricted(&scope, c->table);
	else
		author_enter(&scope, batch);
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
		matches = rows_that_meet(c->table, batch, &row, 1)[0];
	}
	SPI_finish();
	return matches;
}

/*
 * The order is locked.  As long as its row is the version that was chosen, so
 * is the order; else the author is asked again.
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
	return ask_again(c, batch, reads_as_owner(c->table, batch));
}
