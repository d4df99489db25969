/*
 * item_statement.c — reads and locks items by statements
 *
 * For tables that are partitioned, or have no index on the order's key.
 */
#include "postgres.h"

#include "access/htup_details.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/lsyscache.h"

#include "rows/item_row.h"
#include "rows/item_statement.h"
#include "rows/key.h"
#include "rows/plan_cache.h"

/*
 * Compares with the key of the order, parameters 1 to n.  The columns may be
 * of another integer or text type than the order's.
 */
void
item_order_qual(StringInfo sql, const ItemTable *items, const char *alias)
{
	const OrderTable *orders = items->orders;

	for (int i = 0; i < orders->nkeys; i++)
	{
		const Column *key = &orders->keys[i];
		const Column *column = &items->order_keys[i];
		Oid			  base = key->base;
		char *left = psprintf("%s.%s", alias, quote_identifier(column->name));

		if (i > 0)
			appendStringInfoString(sql, " AND ");
		if (column->type == key->type && base == key->type)
			generate_operator_clause(sql, left, base, key->equal,
									 psprintf("$%d", i + 1), base);
		else if (column->base == base)
			generate_operator_clause(
				sql, psprintf("%s::%s", left, format_type_be_qualified(base)),
				base, key->equal,
				psprintf("$%d::%s", i + 1, format_type_be_qualified(base)),
				base);
		else
			appendStringInfo(sql, "%s::%s OPERATOR(pg_catalog.=) $%d::%s",
							 left, format_type_be_qualified(column->base),
							 i + 1, format_type_be_qualified(base));
	}
}

static void
select_sql(StringInfo sql, const ItemTable *items)
{
	const char *i = items->alias;

	appendStringInfo(sql, "SELECT %s, %s.tableoid, %s.ctid FROM %s%s AS %s", i,
					 i, i, items->partitioned ? "" : "ONLY ", items->label, i);
	appendStringInfoString(sql, " WHERE ");
	item_order_qual(sql, items, i);
}

static void
read_sql(StringInfo sql, const OrderTable *table)
{
	const ItemTable *items = item_table_open((OrderTable *) table,
											 AccessShareLock);

	select_sql(sql, items);
	appendStringInfoString(sql, " ORDER BY ");
	key_sort(sql, items->keys, items->nkeys, items->alias);
}

static void
lock_sql(StringInfo sql, const OrderTable *table)
{
	const ItemTable *items = item_table_open((OrderTable *) table,
											 AccessShareLock);

	select_sql(sql, items);
	appendStringInfoString(sql, " AND ");
	key_qual(sql, items->keys, items->nkeys, items->alias, NULL,
			 table->nkeys + 1);
	appendStringInfoString(sql, " FOR NO KEY UPDATE");
}

/* A row of the result of one of the statements above. */
static void
item_from_result(const ItemTable *items, ItemTarget *item, uint64 row)
{
	HeapTuple		tuple = SPI_tuptable->vals[row];
	TupleDesc		desc = SPI_tuptable->tupdesc;
	bool			isnull;
	HeapTupleHeader header = DatumGetHeapTupleHeader(
		SPI_getbinval(tuple, desc, 1, &isnull));
	HeapTupleData data = {0};

	data.t_len = HeapTupleHeaderGetDatumLength(header);
	data.t_data = header;
	item_from_tuple(items, item, heap_copytuple(&data));
	item->row_rel = DatumGetObjectId(SPI_getbinval(tuple, desc, 2, &isnull));
	item->tid = *(ItemPointer) DatumGetPointer(
		SPI_getbinval(tuple, desc, 3, &isnull));
	item->xmin = DatumGetTransactionId(SPI_getbinval(tuple, desc, 4, &isnull));
}

void
item_read_by_statement(CancelTarget *c, ReadSnapshot snapshot)
{
	Parameters p = {0};
	uint64	   rows;

	parameter_key(&p, c->table, c->key);
	rows = plan_cache_run(c->table, STATEMENT_READ_ITEMS, read_sql, &p,
						  snapshot);
	for (uint64 i = 0; i < rows; i++)
	{
		ItemTarget *item = palloc0(sizeof(ItemTarget));

		item_from_result(c->item_table, item, i);
		c->items = lappend(c->items, item);
	}
	SPI_freetuptable(SPI_tuptable);
}

bool
item_lock_by_statement(CancelTarget *c, const ItemTarget *item,
					   ItemTarget *latest)
{
	Parameters p = {0};
	bool	   found;

	parameter_key(&p, c->table, c->key);
	for (int i = 0; i < c->item_table->nkeys; i++)
		parameter_value(&p, c->item_table->keys[i].type, item->key[i], false);
	found = plan_cache_run(c->table, STATEMENT_LOCK_ITEM, lock_sql, &p,
						   READ_CURRENT) > 0;
	if (found)
		item_from_result(c->item_table, latest, 0);
	SPI_freetuptable(SPI_tuptable);
	return found;
}
