/*
 * order_also_set.c — columns that also_set() sets along with the status
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/datum.h"
#include "utils/rel.h"

#include "base/stable_settings.h"
#include "base/text.h"
#include "config/also_set.h"
#include "config/order_table_columns.h"
#include "decision/refusal.h"
#include "rows/also_set_values.h"
#include "rows/column_value.h"
#include "rows/order_row.h"
#include "rows/prior_values.h"

/*
 * A request for a whole order ends, too, if it is accepted for a part.  If the
 * status has changed in the meantime, nothing is restored.
 */
static AlsoSetWhen
when_of(const CancelTarget *c)
{
	State state = c->decision.state;
	bool  ends = c->decision.part ? c->input.live == STATE_REQUESTED :
									state_has_ended(state);

	if (c->decision.ended) /* it gave the status back before */
		return ALSO_SET_COUNT;
	if (ends)
		return c->input.part || c->input.moved_on ? ALSO_SET_COUNT :
													ALSO_SET_RESTORED;
	if (c->decision.part || state == c->input.live)
		return ALSO_SET_COUNT;
	switch (state)
	{
		case STATE_REQUESTED:
			return ALSO_SET_REQUESTED;
		case STATE_IN_PROGRESS:
			return ALSO_SET_IN_PROGRESS;
		case STATE_CANCELED:
			return ALSO_SET_CANCELED;
		default:
			return ALSO_SET_COUNT;
	}
}

/*
 * A cancellation that was complete is in progress again, and the order leaves
 * the canceled status: what also_set() says of canceled is no longer so.
 */
static bool
goes_back(const CancelTarget *c)
{
	return c->input.live == STATE_CANCELED &&
		c->decision.state == STATE_IN_PROGRESS && !c->decision.part &&
		!equal_or_both_null(c->status, c->next_status);
}

void
also_set_use_settings(AlsoSetRun *run)
{
	if (run->settings == 0)
		run->settings = stable_settings_begin(run->table->time_zone);
}

OrderImages *
also_set_images(AlsoSetRun *run)
{
	if (run->images.rel == NULL)
		order_images_begin(&run->images, run->table);
	return &run->images;
}

HeapTuple
also_set_row(AlsoSetRun *run, const CancelTarget *c)
{
	return c->row ? c->row : order_images_row(also_set_images(run), c);
}

char *
also_set_current(const AlsoSetRun *run, const Column *column, HeapTuple row)
{
	bool  isnull;
	Datum value = heap_getattr(row, column->attnum, run->table->desc, &isnull);

	return isnull ? NULL : prior_values_text(column, value);
}

static char *
value_text(const AlsoSetValue *set)
{
	return set->isnull ? NULL : prior_values_text(set->column, set->value);
}

static bool
same_value(const AlsoSetValue *a, const AlsoSetValue *b)
{
	const Column *column = a->column;

	return column == b->column && a->isnull == b->isnull &&
		equal_or_both_null(a->prior, b->prior) &&
		(a->isnull ||
		 datumIsEqual(a->value, b->value, column->typbyval, column->typlen));
}

/* As in most of a batch: it gets the values of another one, which had none. */
static bool
same_values(const CancelTarget *c, const CancelTarget *other)
{
	ListCell *a;
	ListCell *b;

	if (other == NULL || c->record.prior_values ||
		list_length(c->also_set) != list_length(other->also_set))
		return false;
	forboth(a, c->also_set, b, other->also_set)
	{
		if (!same_value(lfirst(a), lfirst(b)))
			return false;
	}
	return true;
}

/*
 * Adds what the columns had before to the record.  If an earlier state has
 * already set a column, which still has that value, its prior value remains.
 */
static void
record_prior_values(CancelTarget *c)
{
	List	 *values = prior_values_read(c->record.prior_values);
	ListCell *lc;

	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);
		PriorValue *value = prior_values_find(values, set->column->name);

		if (value == NULL)
		{
			value = palloc0(sizeof(PriorValue));
			value->column = set->column->name;
			value->prior = set->prior;
			values = lappend(values, value);
		}
		else if (!value->erased &&
				 !equal_or_both_null(value->written, set->prior))
			value->prior = set->prior;
		value->written = value_text(set);
		value->erased = false;
	}
	if (values)
		c->record.prior_values = prior_values_json(values);
}

/* Returns a target whose values the next one may have as well. */
static const CancelTarget *
keep_prior_values(CancelTarget *c, const CancelTarget *other)
{
	bool had_none = c->record.prior_values == NULL;

	if (same_values(c, other))
	{
		c->record.prior_values = other->record.prior_values;
		return other;
	}
	record_prior_values(c);
	return had_none ? c : other;
}

void
order_also_set_changed(CancelTarget *c, const struct varlena *ours)
{
	AlsoSetRun run = {.table = c->table};
	List	  *values = prior_values_read(c->record.prior_values);
	List	  *written = prior_values_read(ours);
	ListCell  *lc;

	also_set_use_settings(&run);
	foreach(lc, c->also_set)
	{
		const AlsoSetValue *set = lfirst(lc);
		PriorValue *value = prior_values_find(values, set->column->name);
		PriorValue *was = prior_values_find(written, set->column->name);

		/* A later step may have written the column again. */
		if (value && was && equal_or_both_null(value->written, was->written))
		{
			value->written = value_text(set);
			value->erased = false;
		}
	}
	stable_settings_end(run.settings);
	if (values)
		c->record.prior_values = prior_values_json(values);
}

/* Is a column set by the rules for ALSO_SET_RESTORED? */
static bool
is_set(const CancelTarget *c, const char *column)
{
	ListCell *lc;

	foreach(lc, c->also_set)
		if (strcmp(((AlsoSetValue *) lfirst(lc))->column->name, column) == 0)
			return true;
	return false;
}

/*
 * Does the column still have the value that was written?  A type may have come
 * to write it in another way.  If it was erased, the column was NULL before, and
 * a CHECK may require that again.
 */
static bool
is_unchanged(const Column *column, const char *current,
			 const PriorValue *value)
{
	if (value->erased)
		return true;
	if (current == NULL || value->written == NULL)
		return current == value->written;
	return strcmp(current, value->written) == 0 ||
		strcmp(current,
			   prior_values_text(column,
								 column_from_text(column, value->written))) ==
		0;
}

static void
restore_value(AlsoSetRun *run, CancelTarget *c, const PriorValue *value,
			  HeapTuple row)
{
	Relation	  rel = also_set_images(run)->rel;
	Column		 *column = palloc0(sizeof(Column));
	AlsoSetValue *set = palloc0(sizeof(AlsoSetValue));
	MemoryContext caller = CurrentMemoryContext;

	order_table_load_column(run->context, rel, column,
							SPI_fnumber(RelationGetDescr(rel), value->column));
	PG_TRY();
	{
		if (is_unchanged(column, also_set_current(run, column, row), value))
		{
			set->column = column;
			set->isnull = value->prior == NULL;
			if (value->prior)
				set->value = column_from_text(column, value->prior);
			c->also_set = lappend(c->also_set, set);
		}
	}
	PG_CATCH();
	{
		refusal_rethrow_invalid_policy(
			caller,
			psprintf(
				"column \"%s\" of order %s of %s cannot get its former value back",
				column->name, text_clip(c->key_text, 80), c->table->label),
			"Say what it gets instead with ordcancel.also_set() for state \"restored\".");
	}
	PG_END_TRY();
}

/*
 * The column can no longer be written: it was renamed, perhaps, and its value
 * must not be lost.  Without also_set() for it, that may be intended.
 */
static void
check_not_lost(const CancelTarget *c, const char *column, const char *fault)
{
	for (int i = 0; i < c->table->nalso_set; i++)
		if (strcmp(c->table->also_set[i].column.name, column) == 0)
			refusal_raise_invalid_policy(
				psprintf(
					"column \"%s\" of order %s of %s cannot get its former value back",
					column, text_clip(c->key_text, 80), c->table->label),
				fault,
				"If it was renamed, rename it back until the cancellation is undone."
				" If its value is not to be restored, call ordcancel.drop_also_set() for it.");
	ereport(
		WARNING,
		(errmsg(
			 "column \"%s\" of order %s of %s does not get its former value back",
			 column, text_clip(c->key_text, 80), c->table->label),
		 errdetail_internal("%s", fault)));
}

/* Restores columns for which there is no rule. */
static void
restore_values(AlsoSetRun *run, CancelTarget *c)
{
	List	 *values = prior_values_read(c->record.prior_values);
	HeapTuple row;
	ListCell *lc;

	if (values == NIL)
		return;
	row = also_set_row(run, c);
	foreach(lc, values)
	{
		const PriorValue *value = lfirst(lc);
		const char		 *fault;

		if (is_set(c, value->column))
			continue;
		fault = also_set_fault(run->table, also_set_images(run)->rel,
							   value->column);
		if (fault == NULL)
			restore_value(run, c, value, row);
		else
			check_not_lost(c, value->column, fault);
	}
}

static bool
texts_are_stable(const OrderTable *table)
{
	for (int i = 0; i < table->nalso_set; i++)
		if (table->also_set[i].column.attnum &&
			!prior_values_text_is_stable(&table->also_set[i].column))
			return false;
	return true;
}

void
order_also_set(CancelTarget *targets, int count)
{
	OrderTable		   *table = targets[0].table;
	AlsoSetRun			run = {.table = table,
							   .targets = targets,
							   .count = count,
							   .context = CurrentMemoryContext};
	bool				needed[ALSO_SET_COUNT + 1] = {false};
	bool				restores = false;
	const CancelTarget *first = NULL; /* that had no values before */

	for (int i = 0; i < count; i++)
	{
		CancelTarget *c = &targets[i];

		c->also_set = NIL;
		c->also_set_changed = false;
		if (c->result != TARGET_OPEN)
			continue;
		c->also_set_when = when_of(c);
		needed[c->also_set_when] = true;
		restores |= (c->also_set_when == ALSO_SET_RESTORED || goes_back(c)) &&
			c->record.prior_values;
	}
	if (table->nalso_set == 0 && !restores)
		return;

	if (restores || !texts_are_stable(table))
		also_set_use_settings(&run);
	for (int when = 0; when < ALSO_SET_COUNT; when++)
		if (needed[when])
			also_set_evaluate(&run, when);
	for (int i = 0; i < count; i++)
		if (targets[i].result != TARGET_OPEN)
			continue;
		else if (targets[i].also_set_when == ALSO_SET_RESTORED)
			restore_values(&run, &targets[i]);
		else
		{
			if (targets[i].also_set)
				first = keep_prior_values(&targets[i], first);
			if (goes_back(&targets[i]))
				restore_values(&run, &targets[i]);
		}
	if (run.settings)
		stable_settings_end(run.settings);
	if (run.images.rel)
		order_images_end(&run.images);
}
