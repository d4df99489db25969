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
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"

#include "as_owner.h"
#include "batch.h"
#include "entry.h"
#include "order_key.h"
#include "order_row.h"
#include "refusal.h"
#include "statement.h"

/* So many rows are fetched at once. */
#define FETCH_COUNT 1000

/*
 * The author's own code runs here, with the search_path that it was given, and
 * sees what row security shows the author, who may be the owner.
 */
static void
author_enter(OwnerScope *scope, const Batch *batch)
{
	role_enter(scope, batch->author);
	SetUserIdAndSecContext(batch->author,
						   (scope->security & ~SECURITY_NOFORCE_RLS) |
							   SECURITY_LOCAL_USERID_CHANGE);
	(void) set_config_option("search_path", batch->search_path, PGC_USERSET,
							 PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
}

static void
append_source(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, " FROM %s%s AS %s WHERE ", order_only(table),
					 table->label, quote_identifier(table->name));
}

/* The condition ends on a line of its own: a comment in it ends there. */
static char *
choose_text(const OrderTable *table, const Batch *batch)
{
	StringInfoData sql;
	const char	  *name = quote_identifier(table->name);

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT ");
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(&sql, "%s.%s, ", name,
						 quote_identifier(table->keys[i].name));
	appendStringInfo(&sql, "%s.ctid, %s.xmin", name, name);
	append_source(&sql, table);
	appendStringInfo(&sql, "(%s\n) ORDER BY ", batch->condition);
	order_key_sort(&sql, table, name);
	return sql.data;
}

static char *
recheck_text(const OrderTable *table, const Batch *batch)
{
	StringInfoData sql;

	initStringInfo(&sql);
	appendStringInfoString(&sql, "SELECT");
	append_source(&sql, table);
	order_key_qual(&sql, table, quote_identifier(table->name), NULL, 1);
	appendStringInfo(&sql, " AND (%s\n)", batch->condition);
	return sql.data;
}

/* The key where the batch stopped; NULL: it begins. */
static Datum *
resume_point(const Batch *batch, const OrderTable *table)
{
	OwnerScope scope;
	Datum	  *key;
	char	  *why;
	bool	   fits;

	if (batch->last_key == NULL)
		return NULL;
	key = palloc(table->nkeys * sizeof(Datum));
	owner_enter_restricted(&scope, table);
	fits = order_key_read(table, CStringGetTextDatum(batch->last_key), false,
						  TEXTOID, key, &why);
	owner_leave(&scope);
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

	for (int i = 0; i < desc->natts; i++)
	{
		values[i] = SPI_getbinval(row, desc, i + 1, &nulls[i]);
		if (TupleDescAttr(desc, i)->attlen == -1)
			values[i] = PointerGetDatum(PG_DETOAST_DATUM(values[i]));
	}
	if (after && order_key_compare(table, values, after) <= 0)
		return;
	tuplestore_putvalues(batch->chosen, desc, values, nulls);
	batch->left++;
}

void
batch_choose(Batch *batch)
{
	OrderTable	 *table = entry_table(false, batch->orders, AccessShareLock);
	MemoryContext keep = CurrentMemoryContext;
	MemoryContext rows;
	Datum		 *after = resume_point(batch, table);
	OwnerScope	  scope;
	Portal		  cursor;

	batch->chosen = tuplestore_begin_heap(false, true, work_mem);
	rows = AllocSetContextCreate(keep, "ordcancel batch choice",
								 ALLOCSET_DEFAULT_SIZES);
	author_enter(&scope, batch);
	cursor = SPI_cursor_open_with_args(NULL, choose_text(table, batch), 0,
									   NULL, NULL, NULL, false, 0);
	MemoryContextSwitchTo(keep);
	batch->chosen_desc = CreateTupleDescCopy(cursor->tupDesc);
	MemoryContextSwitchTo(rows);
	do
	{
		SPI_cursor_fetch(cursor, true, FETCH_COUNT);
		MemoryContextSwitchTo(rows);
		for (uint64 i = 0; i < SPI_processed; i++)
			keep_row(batch, table, SPI_tuptable->vals[i], batch->chosen_desc,
					 after);
		SPI_freetuptable(SPI_tuptable);
		MemoryContextReset(rows);
	} while (SPI_processed > 0);
	SPI_cursor_close(cursor);
	owner_leave(&scope);
	MemoryContextSwitchTo(keep);
	MemoryContextDelete(rows);
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
	batch->cases = palloc0(batch->chunk * sizeof(OrderCase));
	batch->versions = palloc0(batch->chunk * sizeof(RowVersion));
	batch->count = 0;
	while (batch->count < batch->chunk &&
		   tuplestore_gettupleslot(batch->chosen, true, false, row))
	{
		OrderCase  *c = &batch->cases[batch->count];
		RowVersion *version = &batch->versions[batch->count];

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

/*
 * The order is locked.  As long as its row is the version that was chosen, so
 * is the order; else the author is asked again.
 */
bool
batch_still_wanted(OrderCase *c, void *arg)
{
	Batch	   *batch = arg;
	RowVersion *version = batch->versions ?
		&batch->versions[c - batch->cases] :
		NULL;
	Parameters	p = {0};
	OwnerScope	scope;
	bool		wanted;

	if (version && ItemPointerIsValid(&c->tid) &&
		ItemPointerEquals(&version->tid, &c->tid) && version->xmin == c->xmin)
		return true;
	parameter_key(&p, c->table, c->key);
	author_enter(&scope, batch);
	SPI_connect();
	if (SPI_execute_with_args(recheck_text(c->table, batch), p.count, p.types,
							  p.values, p.nulls, false, 1) != SPI_OK_SELECT)
		elog(ERROR, "SPI_execute failed: %s",
			 SPI_result_code_string(SPI_result));
	wanted = SPI_processed > 0;
	SPI_finish();
	owner_leave(&scope);
	return wanted;
}
