/*
 * order_row.c — reading and writing the user's order row
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/builtins.h"
#include "utils/date.h"
#include "utils/datum.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/timestamp.h"

#include "formats.h"
#include "order_key.h"
#include "order_row.h"
#include "refusal.h"
#include "statement.h"

/* The status change under way; an inner one hides the outer one meanwhile. */
typedef struct OwnWrite
{
	const OrderTable *table;
	const Datum		 *key;
	const char		 *from;
	const char		 *to;
	bool			  seen; /* by the guard: a next one is not ours */
} OwnWrite;

static OwnWrite *own_write = NULL;

/* A partitioned table has its rows below; of others only their own count. */
static const char *
only(const OrderTable *table)
{
	return table->partitioned ? "" : "ONLY ";
}

static void
visible_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, "SELECT FROM %s%s AS o WHERE ", only(table),
					 table->label);
	order_key_qual(sql, table, "o", NULL, 1);
}

bool
order_sees_all(const OrderTable *table)
{
	return pg_class_aclcheck(table->relid, GetUserId(), ACL_SELECT) ==
		ACLCHECK_OK &&
		check_enable_rls(table->relid, InvalidOid, true) != RLS_ENABLED;
}

bool
order_visible(OrderTable *table, const Datum *key)
{
	Parameters p = {0};

	parameter_key(&p, table, key);
	return statement_run(table, STATEMENT_VISIBLE, visible_text, &p,
						 SIGHT_NOW) > 0;
}

static bool
has_facts(const OrderTable *table)
{
	return table->nblocks > 0 || table->refund_due != NULL;
}

/* The columns of fill_from_result, in its order. */
static void
read_text(StringInfo sql, const OrderTable *table)
{
	const Column *optional[] = {&table->placed_at, &table->policy_by};
	const char	 *o = table->alias;

	appendStringInfo(sql, "SELECT %s.%s", o,
					 quote_identifier(table->status.name));
	for (int i = 0; i < lengthof(optional); i++)
	{
		if (optional[i]->attnum)
			appendStringInfo(sql, ", %s.%s", o,
							 quote_identifier(optional[i]->name));
		else
			appendStringInfoString(sql, ", NULL");
	}
	for (int i = 0; i < table->nkeys; i++)
		appendStringInfo(sql, ", %s.%s", o,
						 quote_identifier(table->keys[i].name));
	if (has_facts(table))
		appendStringInfo(sql, ", %s", o);
	appendStringInfo(sql, " FROM %s%s AS %s WHERE ", only(table), table->label,
					 o);
	order_key_qual(sql, table, o, NULL, 1);
}

static void
lock_text(StringInfo sql, const OrderTable *table)
{
	read_text(sql, table);

	/* Enough against every update of the row, yet foreign keys may check. */
	appendStringInfoString(sql, " FOR NO KEY UPDATE");
}

static void
lock_free_text(StringInfo sql, const OrderTable *table)
{
	lock_text(sql, table);
	appendStringInfoString(sql, " SKIP LOCKED");
}

/* placed_at of whatever date type as an instant. */
static TimestampTz *
placed_at_instant(const OrderTable *table, Datum value)
{
	TimestampTz *at = palloc(sizeof(TimestampTz));
	Oid			 type = getBaseType(table->placed_at.type);

	if (type == DATEOID)
		value = DirectFunctionCall1(date_timestamp, value);
	if (type != TIMESTAMPTZOID)
		value = DirectFunctionCall2(timestamp_zone,
									CStringGetTextDatum(table->time_zone),
									value);
	*at = DatumGetTimestampTz(value);
	return at;
}

static void
fill(OrderCase *c, const Datum *values, const bool *nulls, const Datum *key)
{
	OrderTable *table = c->table;

	c->raw_status = nulls[0] ? NULL :
							   column_to_text(&table->status, values[0]);
	c->status = nulls[0] ? NULL :
						   order_status_word(table, values[0], c->raw_status);
	c->placed_at = nulls[1] ? NULL : placed_at_instant(table, values[1]);
	c->policy_name = nulls[2] ? NULL :
								column_to_text(&table->policy_by, values[2]);
	c->policy = order_table_policy(table, c->policy_name);
	c->key = palloc(table->nkeys * sizeof(Datum));
	for (int i = 0; i < table->nkeys; i++)
		c->key[i] = datumCopy(key[i], table->keys[i].typbyval,
							  table->keys[i].typlen);
	c->key_text = order_key_text(table, c->key);
}

static bool
fill_from_result(OrderCase *c)
{
	int	  columns = 3 + c->table->nkeys;
	Datum values[PARAMETERS_MAX];
	bool  nulls[PARAMETERS_MAX];
	bool  isnull;

	if (SPI_processed == 0)
		return false;
	for (int i = 0; i < columns; i++)
		values[i] = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc,
								  i + 1, &nulls[i]);
	fill(c, values, nulls, values + 3);
	if (has_facts(c->table))
		c->row = datumCopy(SPI_getbinval(SPI_tuptable->vals[0],
										 SPI_tuptable->tupdesc, columns + 1,
										 &isnull),
						   false, -1);
	SPI_freetuptable(SPI_tuptable);
	return true;
}

static bool
get(OrderCase *c, StatementKind kind, StatementText text, Sight sight)
{
	Parameters p = {0};

	parameter_key(&p, c->table, c->key);
	statement_run(c->table, kind, text, &p, sight);
	return fill_from_result(c);
}

bool
order_lock(OrderCase *c)
{
	return get(c, STATEMENT_LOCK_ORDER, lock_text, SIGHT_NOW);
}

bool
order_lock_free(OrderCase *c)
{
	return get(c, STATEMENT_LOCK_FREE_ORDER, lock_free_text, SIGHT_NOW);
}

bool
order_read(OrderCase *c)
{
	return get(c, STATEMENT_READ_ORDER, read_text, SIGHT_CALLER);
}

void
order_from_tuple(OrderCase *c, HeapTuple tuple, TupleDesc desc)
{
	OrderTable	 *table = c->table;
	const Column *columns[] = {&table->status, &table->placed_at,
							   &table->policy_by};
	Datum		  values[3];
	bool		  nulls[3] = {false};
	Datum		  key[INDEX_MAX_KEYS];
	bool		  isnull;

	for (int i = 0; i < lengthof(columns); i++)
	{
		nulls[i] = columns[i]->attnum == 0;
		if (!nulls[i])
			values[i] = heap_getattr(tuple, columns[i]->attnum, desc,
									 &nulls[i]);
	}
	for (int i = 0; i < table->nkeys; i++)
		key[i] = heap_getattr(tuple, table->keys[i].attnum, desc, &isnull);
	fill(c, values, nulls, key);
	if (has_facts(table))
		c->row = heap_copy_tuple_as_datum(tuple, desc);
}

/* Each expression on lines of its own, so that a comment in it ends there. */
static void
facts_text(StringInfo sql, const OrderTable *table)
{
	appendStringInfo(sql, "SELECT (%s\n)::pg_catalog.numeric",
					 table->refund_due ? table->refund_due : "NULL");
	for (int i = 0; i < table->nblocks; i++)
		appendStringInfo(sql, ", (%s\n)::pg_catalog.bool",
						 table->blocks[i].condition);
	appendStringInfo(sql, " FROM (SELECT ($1).*) AS %s",
					 quote_identifier(table->name));
}

void
order_facts(OrderCase *c)
{
	OrderTable *table = c->table;
	Parameters	p = {0};
	int			nest;

	c->refund_due = NULL;
	c->customer_block = c->merchant_block = NULL;
	if (!has_facts(table))
		return;
	parameter_value(&p, get_rel_type_id(table->relid), c->row, false);
	nest = formats_fix(table->time_zone);
	statement_run(table, STATEMENT_FACTS, facts_text, &p, SIGHT_LATEST);
	formats_restore(nest);
	c->refund_due = result_numeric(1);
	if (c->refund_due &&
		(numeric_is_nan(c->refund_due) || numeric_is_inf(c->refund_due)))
		refusal_raise_invalid_policy(
			psprintf("refund due of order %s of %s is not a finite number",
					 shorten(c->key_text, 80), table->label),
			psprintf("The expression is: %s.",
					 shorten(table->refund_due, 200)),
			"Correct the order, or the expression by ordcancel.attach().");
	for (int i = 0; i < table->nblocks; i++)
	{
		const BlockRule *block = &table->blocks[i];
		bool			 isnull;
		bool holds = DatumGetBool(SPI_getbinval(SPI_tuptable->vals[0],
												SPI_tuptable->tupdesc, i + 2,
												&isnull));

		if (isnull || !holds)
			continue;
		if (block->customer && c->customer_block == NULL)
			c->customer_block = block;
		if (block->merchant && c->merchant_block == NULL)
			c->merchant_block = block;
	}
	SPI_freetuptable(SPI_tuptable);
}

static void
write_status_text(StringInfo sql, const OrderTable *table)
{
	const char *status = quote_identifier(table->status.name);

	appendStringInfo(sql, "UPDATE %s%s AS o SET %s = $1 WHERE ", only(table),
					 table->label, status);
	order_key_qual(sql, table, "o", NULL, 2);
	appendStringInfo(sql, " RETURNING o.%s", status);
}

void
order_write_status(OrderCase *c, const char *status)
{
	OrderTable	 *table = c->table;
	OwnWrite	 *outer = own_write;
	OwnWrite	  write = {table, c->key, c->status, status, false};
	Parameters	  p = {0};
	volatile bool found = false;
	char *volatile written = NULL;

	parameter_value(&p, table->status.type,
					status ? column_from_text(&table->status, status) :
							 (Datum) 0,
					status == NULL);
	parameter_key(&p, table, c->key);
	own_write = &write;
	PG_TRY();
	{
		if (statement_run(table, STATEMENT_WRITE_STATUS, write_status_text, &p,
						  SIGHT_NOW) == 1)
		{
			bool  isnull;
			Datum value = SPI_getbinval(SPI_tuptable->vals[0],
										SPI_tuptable->tupdesc, 1, &isnull);

			found = true;
			if (!isnull)
				written = order_status_word(table, value,
											column_to_text(&table->status,
														   value));
		}
	}
	PG_FINALLY();
	{
		own_write = outer;
	}
	PG_END_TRY();

	if (!found || !same_text(written, status))
		ereport(
			ERROR,
			(errcode(ERRCODE_TRIGGERED_DATA_CHANGE_VIOLATION),
			 errmsg("order %s of %s did not take status \"%s\"",
					shorten(c->key_text, 80), table->label,
					status ? status : "(null)"),
			 !found ? errdetail("The update was suppressed.") :
					  errdetail("The row was written with status \"%s\".",
								written ? written : "(null)"),
			 errhint(
				 "Look for a BEFORE UPDATE trigger or a rule on the table.")));
	c->status = status ? pstrdup(status) : NULL;
}

bool
order_write_is_ours(const OrderTable *table, const Datum *key,
					const char *from, const char *to)
{
	if (own_write == NULL || own_write->seen ||
		own_write->table->relid != table->relid ||
		!same_text(own_write->from, from) || !same_text(own_write->to, to) ||
		!order_key_same(table, own_write->key, key))
		return false;
	own_write->seen = true;
	return true;
}
