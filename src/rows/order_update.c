/*
 * order_update.c — writes the status of orders, and what also_set() sets
 */
#include "postgres.h"

#include "access/table.h"
#include "access/tableam.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/status_equality.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/direct_write.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/plan_cache.h"

/*
 * The UPDATE that write_by_statement is running, for order_update_is_ours.
 * Triggers can cause another one within it.
 */
typedef struct OwnWrite
{
	const OrderTable *table;
	const Datum		 *key;
	const List		 *also_set;
	const char		 *from;
	const char		 *to;
	bool			  seen; /* the update trigger has fired for it */
} OwnWrite;

static OwnWrite *own_write = NULL;

pg_noreturn static void
raise_not_written(const CancelTarget *c, const char *detail)
{
	ereport(ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("could not change status of order %s of %s to %s",
					text_clip(c->key_text, 80), c->table->label,
					quoted_or_null(c->next_status)),
			 errdetail_internal("%s", detail),
			 errhint(
				 "Look for a BEFORE UPDATE trigger or a rule on the table.")));
}

/* Checks that the row was written with the intended status. */
static void
check_status(const CancelTarget *c, Datum value, bool isnull)
{
	const OrderTable *table = c->table;
	char			 *written = NULL;

	if (!isnull)
		written = status_equality_canonical(table, c->policy, value,
											column_to_text(&table->status,
														   value));
	if (!equal_or_both_null(written, c->next_status))
		raise_not_written(c,
						  psprintf("The row was written with status %s.",
								   quoted_or_null(written)));
}

/* An enum label may have been renamed since the status was recorded. */
static Datum
status_datum(const OrderTable *table, const char *status)
{
	if (status == NULL)
		return (Datum) 0;
	if (get_typtype(table->status.base) == TYPTYPE_ENUM &&
		!SearchSysCacheExists2(ENUMTYPOIDNAME,
							   ObjectIdGetDatum(table->status.base),
							   CStringGetDatum(status)))
		refusal_raise_invalid_policy(
			psprintf("cannot set status of an order of %s to \"%s\"",
					 table->label, text_clip(status, 80)),
			"The status no longer exists.",
			"If it was renamed, rename it back until the cancellation is undone.");
	return column_from_text(&table->status, status);
}

static bool
status_changes(const CancelTarget *c)
{
	return !equal_or_both_null(c->status, c->next_status);
}

/* From now on, the value is the one that is in the row. */
static void
set_as_written(CancelTarget *c, AlsoSetValue *set, Datum value, bool isnull)
{
	const Column *column = set->column;

	if (isnull == set->isnull &&
		(isnull ||
		 datum_image_eq(value, set->value, column->typbyval, column->typlen)))
		return;
	set->isnull = isnull;
	set->value = isnull ? (Datum) 0 :
						  datumCopy(value, column->typbyval, column->typlen);
	c->also_set_changed = true;
}

/* The values of own_write->also_set are the parameters after the key. */
static void
write_status_sql(StringInfo sql, const OrderTable *table)
{
	const char *status = quote_identifier(table->status.name);
	ListCell   *lc;

	appendStringInfo(sql, "UPDATE %s%s AS o SET %s = $1", order_only(table),
					 table->label, status);
	foreach(lc, own_write->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);

		appendStringInfo(sql, ", %s = $%d",
						 quote_identifier(set->column->name),
						 foreach_current_index(lc) + table->nkeys + 2);
	}
	appendStringInfoString(sql, " WHERE ");
	order_key_qual(sql, table, "o", NULL, 2);
	appendStringInfo(sql, " RETURNING o.%s", status);
	foreach(lc, own_write->also_set)
		appendStringInfo(sql, ", o.%s",
						 quote_identifier(
							 ((AlsoSetValue *) lfirst(lc))->column->name));
}

static uint64
run_update(const CancelTarget *c)
{
	static const StatementKind kinds[] = {
		[ALSO_SET_REQUESTED] = STATEMENT_WRITE_REQUESTED,
		[ALSO_SET_IN_PROGRESS] = STATEMENT_WRITE_IN_PROGRESS,
		[ALSO_SET_CANCELED] = STATEMENT_WRITE_CANCELED,
	};
	OrderTable *table = c->table;
	const char *status;
	Parameters	p = {0};
	ListCell   *lc;

	/* A status that stays also keeps its spelling. */
	status = status_changes(c) ? c->next_status : c->raw_status;
	parameter_value(&p, table->status.type, status_datum(table, status),
					status == NULL);
	parameter_key(&p, table, c->key);
	if (p.count + list_length(c->also_set) > PARAMETERS_MAX)
		ereport(ERROR,
				(errcode(ERRCODE_TOO_MANY_COLUMNS),
				 errmsg("too many columns of %s are set by also_set()",
						table->label)));
	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);

		parameter_value(&p, set->column->type, set->value, set->isnull);
	}
	if (c->also_set == NIL)
		return plan_cache_run(table, STATEMENT_WRITE_STATUS, write_status_sql,
							  &p, READ_CURRENT);
	/* Which columns are restored depends on the order. */
	if (c->also_set_when == ALSO_SET_RESTORED)
		return plan_cache_run_once(table, write_status_sql, &p);
	return plan_cache_run(table, kinds[c->also_set_when], write_status_sql, &p,
						  READ_CURRENT);
}

static void
write_by_statement(CancelTarget *c)
{
	OwnWrite	 *outer = own_write;
	OwnWrite	  write = {c->table,  c->key,		  c->also_set,
						   c->status, c->next_status, false};
	volatile bool found = false;

	own_write = &write;
	PG_TRY();
	{
		found = run_update(c) == 1;
	}
	PG_FINALLY();
	{
		own_write = outer;
	}
	PG_END_TRY();
	if (found)
	{
		HeapTuple row = SPI_tuptable->vals[0];
		TupleDesc desc = SPI_tuptable->tupdesc;
		bool	  isnull;
		Datum	  value = SPI_getbinval(row, desc, 1, &isnull);
		ListCell *lc;

		check_status(c, value, isnull);
		foreach(lc, c->also_set)
		{
			value = SPI_getbinval(row, desc, foreach_current_index(lc) + 2,
								  &isnull);
			set_as_written(c, lfirst(lc), value, isnull);
		}
	}
	else
		raise_not_written(c, "The update was suppressed.");
	SPI_freetuptable(SPI_tuptable);
}

/* BEFORE triggers can change anything but the key and the status. */
static void
check_row(CancelTarget *c, TupleTableSlot *row)
{
	const OrderTable *table = c->table;
	Datum			  key[INDEX_MAX_KEYS];
	Datum			  value;
	bool			  isnull;
	ListCell		 *lc;

	for (int i = 0; i < table->nkeys; i++)
		key[i] = slot_getattr(row, table->keys[i].attnum, &isnull);
	if (!order_key_same(table, c->key, key))
		raise_not_written(c, "The row was written with a different key.");
	value = slot_getattr(row, table->status.attnum, &isnull);
	check_status(c, value, isnull);
	foreach(lc, c->also_set)
	{
		AlsoSetValue *set = lfirst(lc);

		value = slot_getattr(row, set->column->attnum, &isnull);
		set_as_written(c, set, value, isnull);
	}
}

/* Slots for the row before and after the update. */
typedef struct RowSlots
{
	TupleTableSlot *old;
	TupleTableSlot *new;
} RowSlots;

static void
raise_conflict(const void *arg)
{
	raise_not_written(arg, "A trigger has updated the row in the meantime.");
}

static void
write_row(DirectWrite *w, CancelTarget *c, RowSlots *rows, Datum status)
{
	const OrderTable *table = c->table;
	int				  column = table->status.attnum - 1;
	ListCell		 *lc;

	/* A trigger may have updated the row since it was locked. */
	if (!table_tuple_fetch_row_version(w->rel, &c->tid, GetActiveSnapshot(),
									   rows->old))
	{
		write_by_statement(c);
		return;
	}
	direct_write_copy(rows->new, rows->old);
	if (status_changes(c))
	{
		rows->new->tts_values[column] = status;
		rows->new->tts_isnull[column] = c->next_status == NULL;
	}
	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);

		rows->new->tts_values[set->column->attnum - 1] = set->value;
		rows->new->tts_isnull[set->column->attnum - 1] = set->isnull;
	}
	ExecStoreVirtualTuple(rows->new);

	if (!direct_write_update(w, rows->old, rows->new, raise_conflict, c))
		raise_not_written(c, "The update was suppressed.");
	if (direct_write_has_before_triggers(w))
		check_row(c, rows->new);
}

static bool
is_written(const CancelTarget *c)
{
	return c->result == TARGET_OPEN && (status_changes(c) || c->also_set);
}

/* The columns that are written, for triggers with a list of columns. */
static Bitmapset *
written_columns(const CancelTarget *c)
{
	Bitmapset *columns = bms_make_singleton(c->table->status.attnum);
	ListCell  *lc;

	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);

		columns = bms_add_member(columns, set->column->attnum);
	}
	return columns;
}

static bool
same_columns(const List *a, const List *b)
{
	if (list_length(a) != list_length(b))
		return false;
	for (int i = 0; i < list_length(a); i++)
		if (((AlsoSetValue *) list_nth(a, i))->column->attnum !=
			((AlsoSetValue *) list_nth(b, i))->column->attnum)
			return false;
	return true;
}

/* Writes the rows in which the same columns as in the first are written. */
static int
write_rows(Relation rel, RowSlots *rows, CancelTarget *targets, int count)
{
	const OrderTable *table = targets[0].table;
	DirectWrite		  w;
	const char		 *status = NULL;
	Datum			  value = (Datum) 0;
	int				  i;

	direct_write_open_columns(&w, rel, written_columns(&targets[0]),
							  table->guard_update);
	for (i = 0; i < count; i++)
	{
		if (!is_written(&targets[i]))
			continue;
		if (!same_columns(targets[i].also_set, targets[0].also_set))
			break;
		if (status_changes(&targets[i]) &&
			!equal_or_both_null(status, targets[i].next_status))
		{
			status = targets[i].next_status;
			value = status_datum(table, status);
		}
		write_row(&w, &targets[i], rows, value);
	}
	direct_write_close(&w);
	return i;
}

static void
write_all_rows(Relation rel, CancelTarget *targets, int count)
{
	RowSlots rows;

	rows.old = table_slot_create(rel, NULL);
	rows.new = MakeSingleTupleTableSlot(RelationGetDescr(rel), &TTSOpsVirtual);
	for (int i = 0; i < count;)
		i += is_written(&targets[i]) ?
			write_rows(rel, &rows, &targets[i], count - i) :
			1;
	ExecDropSingleTupleTableSlot(rows.old);
	ExecDropSingleTupleTableSlot(rows.new);
}

void
order_update_status(CancelTarget *targets, int count)
{
	Relation rel = NULL;
	bool	 any = false;

	for (int i = 0; i < count; i++)
		any |= is_written(&targets[i]);
	if (!any)
		return;

	rel = table_open(targets[0].table->relid, RowExclusiveLock);
	if (direct_write_can_update(rel))
		write_all_rows(rel, targets, count);
	else
		for (int i = 0; i < count; i++)
			if (is_written(&targets[i]))
				write_by_statement(&targets[i]);
	table_close(rel, NoLock);
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN && status_changes(&targets[i]))
			targets[i].status = targets[i].next_status ?
				pstrdup(targets[i].next_status) :
				NULL;
}

bool
order_update_is_ours(const OrderTable *table, const Datum *key,
					 const char *from, const char *to)
{
	if (own_write == NULL || own_write->seen ||
		own_write->table->relid != table->relid ||
		!equal_or_both_null(own_write->from, from) ||
		!equal_or_both_null(own_write->to, to) ||
		!order_key_same(table, own_write->key, key))
		return false;
	own_write->seen = true;
	return true;
}
