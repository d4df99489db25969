/*
 * order_update.c — writes the status of orders, and what also_set() sets
 */
#include "postgres.h"

#include "access/tableam.h"
#include "utils/rel.h"
#include "utils/snapmgr.h"

#include "base/text.h"
#include "rows/direct_write.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/order_update.h"
#include "rows/place.h"

/*
 * BEFORE triggers can change anything but the key and the status; a generated
 * column of the key, the key.
 */
static void
check_row(CancelTarget *c, const Place *place, TupleTableSlot *row)
{
	const OrderTable *table = c->table;
	Datum			  key[INDEX_MAX_KEYS];
	Datum			  value;
	bool			  isnull;
	ListCell		 *lc;

	for (int i = 0; i < table->nkeys; i++)
		key[i] = slot_getattr(row, place_attnum(place, table->keys[i].attnum),
							  &isnull);
	if (!order_key_same(table, c->key, key))
		order_not_written(c, "The row was written with a different key.");
	value = slot_getattr(row, place_attnum(place, table->status.attnum),
						 &isnull);
	order_written_status(c, value, isnull);
	foreach(lc, c->also_set)
	{
		AlsoSetValue *set = lfirst(lc);

		value = slot_getattr(row, place_attnum(place, set->column->attnum),
							 &isnull);
		order_written_value(c, set, value, isnull);
	}
}

static void
raise_conflict(const void *arg)
{
	order_not_written(arg, "A trigger has updated the row in the meantime.");
}

static void
set_column(const Place *place, TupleTableSlot *row, const Column *column,
		   Datum value, bool isnull)
{
	int at = place_attnum(place, column->attnum) - 1;

	row->tts_values[at] = value;
	row->tts_isnull[at] = isnull;
}

static void
write_row(DirectWrite *w, CancelTarget *c, Places *places, Datum status)
{
	Place		   *place = places_of_row(places, c->place);
	TupleTableSlot *row = place_row(places, place);
	TupleTableSlot *fresh = place_fresh(places, place);
	ListCell	   *lc;

	/* A trigger may have updated the row since it was locked. */
	if (!table_tuple_fetch_row_version(place->rel, &c->tid,
									   GetActiveSnapshot(), row))
	{
		order_update_by_statement(c);
		return;
	}
	direct_write_copy(fresh, row);
	if (order_status_changes(c))
		set_column(place, fresh, &c->table->status, status,
				   c->next_status == NULL);
	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);

		set_column(place, fresh, set->column, set->value, set->isnull);
	}
	ExecStoreVirtualTuple(fresh);

	direct_write_use(w, place->rel);
	if (!direct_write_update(w, row, fresh, raise_conflict, c))
		order_not_written(c, "The update was suppressed.");
	if (direct_write_has_before_triggers(w) || direct_write_has_generated(w))
		check_row(c, place, fresh);
	if (direct_write_has_before_triggers(w))
	{
		c->tid = fresh->tts_tid;
		c->row = NULL;
		c->check_deleted = true;
	}
}

static bool
is_written(const CancelTarget *c)
{
	return c->result == TARGET_OPEN &&
		(order_status_changes(c) || c->also_set);
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
write_rows(Places *places, CancelTarget *targets, int count)
{
	const OrderTable *table = targets[0].table;
	DirectWrite		  w;
	const char		 *status = NULL;
	Datum			  value = (Datum) 0;
	int				  i;

	direct_write_open_columns(&w, places->rel, written_columns(&targets[0]),
							  table->guard_update);
	for (i = 0; i < count; i++)
	{
		if (!is_written(&targets[i]))
			continue;
		if (!same_columns(targets[i].also_set, targets[0].also_set))
			break;
		if (order_status_changes(&targets[i]) &&
			!equal_or_both_null(status, targets[i].next_status))
		{
			status = targets[i].next_status;
			value = order_status_datum(table, status);
		}
		write_row(&w, &targets[i], places, value);
	}
	direct_write_close(&w);
	return i;
}

static void
write_all(Places *places, CancelTarget *targets, int count)
{
	bool direct = direct_write_can_update(places->rel);

	for (int i = 0; i < count;)
		if (!is_written(&targets[i]))
			i++;
		else if (direct)
			i += write_rows(places, &targets[i], count - i);
		else
			order_update_by_statement(&targets[i++]);
}

/* BEFORE triggers must not delete an order by deleted_when, either. */
static void
check_deleted(CancelTarget *targets, int count)
{
	bool any = false;

	for (int i = 0; i < count; i++)
		any |= targets[i].check_deleted;
	if (!any || targets[0].table->deleted_when == NULL)
		return;
	order_find_deleted(targets, count);
	for (int i = 0; i < count; i++)
		if (targets[i].check_deleted && targets[i].deleted)
			order_written_deleted(&targets[i]);
}

void
order_update_status(CancelTarget *targets, int count)
{
	Places places;
	bool   any = false;

	for (int i = 0; i < count; i++)
	{
		targets[i].check_deleted = false;
		any |= is_written(&targets[i]);
	}
	if (!any)
		return;

	places_begin(&places, targets[0].table, RowExclusiveLock);
	write_all(&places, targets, count);
	places_end(&places);
	check_deleted(targets, count);
	for (int i = 0; i < count; i++)
		if (targets[i].result == TARGET_OPEN &&
			order_status_changes(&targets[i]))
			targets[i].status = targets[i].next_status ?
				pstrdup(targets[i].next_status) :
				NULL;
}
