/*
 * consumer_tables.c — the event tables that a consumer reads
 *
 * The tables come from the configuration and from pg_inherits.  Nothing is
 * planned and no table is locked or opened, so that a consumer of a thousand
 * tables costs little.
 */
#include "postgres.h"

#include "catalog/pg_inherits.h"
#include "miscadmin.h"
#include "utils/acl.h"
#include "utils/lsyscache.h"
#include "utils/rls.h"
#include "utils/syscache.h"

#include "config/config_table.h"
#include "config/order_table_row.h"
#include "config/shard.h"
#include "consumer/consumer_tables.h"
#include "decision/refusal.h"

/* Columns of ordcancel_internal.detached. */
#define DETACHED_RECORDS 1
#define DETACHED_ORDERS 2

typedef struct TableSearch
{
	List *tables; /* of EventTable */
	Oid	  orders; /* only those of this order table, if it is valid */
} TableSearch;

static void
add_table(TableSearch *search, Oid events, Oid orders)
{
	EventTable *table;

	if (OidIsValid(search->orders) && orders != search->orders)
		return;
	table = palloc(sizeof(EventTable));
	*table = (EventTable){events, orders};
	search->tables = lappend(search->tables, table);
}

static void
add_attached(HeapTuple row, TupleDesc desc, void *arg)
{
	Oid		  events = config_oid(row, desc, ORDER_TABLE_EVENT_TABLE);
	Oid		  orders = config_oid(row, desc, ORDER_TABLE_ORDERS);
	ListCell *lc;

	foreach(lc, shard_relations(events))
	{
		add_table(arg, lfirst_oid(lc), orders);
	}
}

/* Both kinds of record tables are listed as detached. */
static void
add_detached(HeapTuple row, TupleDesc desc, void *arg)
{
	Oid records = config_oid(row, desc, DETACHED_RECORDS);

	if (get_attnum(records, "event_id") != InvalidAttrNumber)
		add_table(arg, records, config_oid(row, desc, DETACHED_ORDERS));
}

static void
add_descendants(TableSearch *search, Oid parent, Oid orders)
{
	ListCell *lc;

	if (!has_subclass(parent))
		return;
	foreach(lc, find_all_inheritors(parent, NoLock, NULL))
		if (lfirst_oid(lc) != parent)
			add_table(search, lfirst_oid(lc), orders);
}

/* By event table; those with a known order table first. */
static int
compare_tables(const ListCell *a, const ListCell *b)
{
	const EventTable *left = lfirst(a);
	const EventTable *right = lfirst(b);

	if (left->events != right->events)
		return left->events < right->events ? -1 : 1;
	return left->orders > right->orders ? -1 : left->orders < right->orders;
}

/* Finds each table once or more. */
static List *
search_tables(Oid orders)
{
	TableSearch search = {NIL, orders};
	int			count;

	config_scan("order_table", orders, add_attached, &search);
	config_scan_detached(add_detached, &search);
	count = list_length(search.tables);
	if (!OidIsValid(orders))
		add_descendants(&search, config_relation("event"), InvalidOid);
	else
		for (int i = 0; i < count; i++)
			add_descendants(
				&search, ((EventTable *) list_nth(search.tables, i))->events,
				orders);
	return search.tables;
}

static List *
find_tables(Oid orders)
{
	List	 *found = search_tables(orders);
	List	 *tables = NIL;
	Oid		  last = InvalidOid;
	ListCell *lc;

	list_sort(found, compare_tables);
	foreach(lc, found)
	{
		EventTable *table = lfirst(lc);

		if (table->events != last)
			tables = lappend(tables, table);
		last = table->events;
	}
	return tables;
}

bool
consumer_role_may_read(Oid role, Oid relid)
{
	return SearchSysCacheExists1(RELOID, ObjectIdGetDatum(relid)) &&
		pg_class_aclcheck(relid, role, ACL_SELECT) == ACLCHECK_OK &&
		check_enable_rls(relid, role, true) != RLS_ENABLED;
}

bool
consumer_may_read(const Consumer *c, const EventTable *table)
{
	Oid relid = SearchSysCacheExists1(RELOID,
									  ObjectIdGetDatum(table->orders)) ?
		table->orders :
		table->events;

	return !OidIsValid(c->role) || consumer_role_may_read(c->role, relid);
}

static void
check_readable(const Consumer *c, List *tables)
{
	ListCell *lc;

	foreach(lc, tables)
		if (consumer_may_read(c, lfirst(lc)))
			return;
	if (tables == NIL)
		refusal_raise_not_attached(c->orders);
	aclcheck_error(ACLCHECK_NO_PRIV, OBJECT_TABLE, get_rel_name(c->orders));
}

List *
consumer_tables(const Consumer *c, bool missing_ok)
{
	List *tables = find_tables(c->orders);

	if (OidIsValid(c->orders) && !missing_ok)
		check_readable(c, tables);
	return tables;
}
