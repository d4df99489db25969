/*
 * order_update_statement.c — writes the status of an order by an UPDATE
 *
 * That is needed if the table has rules or triggers for statements, or if a
 * trigger has changed the row since it was locked.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/syscache.h"

#include "base/read_snapshot.h"
#include "base/text.h"
#include "config/status_equality.h"
#include "decision/refusal.h"
#include "rows/column_value.h"
#include "rows/order_key.h"
#include "rows/order_row.h"
#include "rows/order_update.h"
#include "rows/plan_cache.h"

/*
 * The UPDATE that order_update_by_statement is running, for order_update_is_ours.
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

void
order_not_written(const CancelTarget *c, const char *detail)
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

pg_noreturn void
order_written_deleted(const CancelTarget *c)
{
	order_not_written(c, "The row was written with deleted_when true.");
}

void
order_written_status(const CancelTarget *c, Datum value, bool isnull)
{
	const OrderTable *table = c->table;
	char			 *written = NULL;

	if (!isnull)
		written = status_equality_canonical(table, c->policy, value,
											column_to_text(&table->status,
														   value));
	if (!equal_or_both_null(written, c->next_status))
		order_not_written(c,
						  psprintf("The row was written with status %s.",
								   quoted_or_null(written)));
}

Datum
order_status_datum(const OrderTable *table, const char *status)
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

bool
order_status_changes(const CancelTarget *c)
{
	return !equal_or_both_null(c->status, c->next_status);
}

void
order_written_value(CancelTarget *c, AlsoSetValue *set, Datum value,
					bool isnull)
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
					 table->sql, status);
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
	{
		appendStringInfo(sql, ", o.%s",
						 quote_identifier(
							 ((AlsoSetValue *) lfirst(lc))->column->name));
	}
}

/*
 * Are the columns those that the rules of also_set() name, so that the statement
 * is the same for each order?  Columns that are restored depend on the order.
 */
static bool
sets_all_of_rules(const CancelTarget *c)
{
	const OrderTable *table = c->table;
	int				  n = 0;

	if (c->also_set_when == ALSO_SET_RESTORED)
		return false;
	for (int i = 0; i < table->nalso_set; i++)
	{
		const AlsoSet *rule = &table->also_set[i];

		if (rule->when != c->also_set_when)
			continue;
		if (n == list_length(c->also_set) ||
			((AlsoSetValue *) list_nth(c->also_set, n))->column->attnum !=
				rule->column.attnum)
			return false;
		n++;
	}
	return n == list_length(c->also_set);
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
	status = order_status_changes(c) ? c->next_status : c->raw_status;
	parameter_value(&p, table->status.type, order_status_datum(table, status),
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
	if (!sets_all_of_rules(c))
		return plan_cache_run_once(table, write_status_sql, &p);
	return plan_cache_run(table, kinds[c->also_set_when], write_status_sql, &p,
						  READ_CURRENT);
}

void
order_update_by_statement(CancelTarget *c)
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

		order_written_status(c, value, isnull);
		foreach(lc, c->also_set)
		{
			value = SPI_getbinval(row, desc, foreach_current_index(lc) + 2,
								  &isnull);
			order_written_value(c, lfirst(lc), value, isnull);
		}
	}
	else
		order_not_written(c, "The update was suppressed.");
	SPI_freetuptable(SPI_tuptable);
}

bool
order_update_is_ours(const OrderTable *table, const Datum *key,
					 const char *from, const char *to)
{
	/* If the status stays, any other UPDATE of the row looks the same. */
	if (own_write == NULL || own_write->seen || equal_or_both_null(from, to) ||
		own_write->table->relid != table->relid ||
		!equal_or_both_null(own_write->from, from) ||
		!equal_or_both_null(own_write->to, to) ||
		!order_key_same(table, own_write->key, key))
		return false;
	own_write->seen = true;
	return true;
}
