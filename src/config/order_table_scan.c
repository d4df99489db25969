/*
 * order_table_scan.c — finds attached tables, without building descriptions
 */
#include "postgres.h"

#include "nodes/pg_list.h"

#include "config/config_table.h"
#include "config/order_table.h"
#include "config/order_table_row.h"
#include "config/shard.h"

typedef struct TableScan
{
	OrderTableCallback callback;
	void			  *arg;
	bool			   shards; /* instead of tables that are distributed */
} TableScan;

/* Calls it for the shards that are on this node. */
static void
visit_shards(const TableScan *scan, Oid orders, Oid cancellation_table)
{
	ListCell *lc;

	foreach(lc, shard_relations(orders))
	{
		Shard shard;

		if (shard_of_relation(lfirst_oid(lc), &shard))
			scan->callback(lfirst_oid(lc),
						   shard_sibling(&shard, cancellation_table),
						   scan->arg);
	}
}

static void
visit_table(HeapTuple row, TupleDesc desc, void *arg)
{
	TableScan *scan = arg;
	Oid		   orders = config_oid(row, desc, ORDER_TABLE_ORDERS);
	Oid		   records = config_oid(row, desc, ORDER_TABLE_CANCELLATION_TABLE);

	if (scan->shards && shard_is_distributed(orders))
		visit_shards(scan, orders, records);
	else
		scan->callback(orders, records, scan->arg);
}

static void
get_orders(HeapTuple row, TupleDesc desc, void *arg)
{
	*(Oid *) arg = config_oid(row, desc, ORDER_TABLE_ORDERS);
}

Oid
order_table_of_records(Oid records)
{
	Oid orders = InvalidOid;

	if (config_scan_index("order_table", "order_table_cancellation_table",
						  ORDER_TABLE_CANCELLATION_TABLE, records, get_orders,
						  &orders) == 0)
		config_scan_index("order_table", "order_table_event_table",
						  ORDER_TABLE_EVENT_TABLE, records, get_orders,
						  &orders);
	return orders;
}

void
order_table_scan(Oid relid, OrderTableCallback callback, void *arg)
{
	TableScan scan = {callback, arg, !OidIsValid(relid) && shard_possible()};

	config_scan("order_table", relid, visit_table, &scan);
}
