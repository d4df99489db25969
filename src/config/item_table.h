/*
 * item_table.h — the cached description of an order table's items
 *
 * An order table may have one table of items, the lines of its orders.  A
 * backend keeps an ItemTable for each that it has used.  It is built on first
 * use, and again when the table of items or the configuration has changed; a
 * replaced one stays valid until the end of the transaction.
 */
#ifndef ORDCANCEL_ITEM_TABLE_H
#define ORDCANCEL_ITEM_TABLE_H

#include "access/htup.h"
#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "config/order_table.h"

typedef struct ItemTable
{
	MemoryContext context; /* holds all of this */
	OrderTable	 *orders;
	Oid			  relid;
	uint64		  serial;	   /* of the OrderTable */
	uint64		  keys_serial; /* identifies this description in the session */
	TupleDesc	  desc;
	char		 *label; /* schema.table, quoted: for SQL and messages */
	char		 *name;	 /* without the schema, not quoted */
	char		 *alias; /* for SQL; not the name of any column */
	bool		  partitioned;

	Column	 *order_keys; /* hold the order's key */
	int		  nkeys;
	Column	 *keys;		   /* the primary key */
	char	**record_keys; /* its columns in the record table */
	Oid		  key_index;
	TupleDesc key_desc;		  /* of the key as a row */
	bool	  key_has_format; /* text of keys depends on settings */
	Oid		  order_index;	  /* on order_keys; InvalidOid: use statements */

	/* units: quantity and canceled, or else one unit with a status */
	Column quantity; /* attnum 0: each item is one unit */
	Column canceled; /* attnum 0: there is a status */
	Column status;
	char  *canceled_status;

	/* pinned expressions over the item; NULL: none fulfilled, nothing due */
	char  *fulfilled;
	char  *amount;
	char  *functions;		 /* called by them, see expression.h */
	Column fulfilled_column; /* attnum 0: "fulfilled" is not just a column */

	Oid			   guard; /* the function of our triggers */
	struct Pinned *expr_query;
} ItemTable;

/* Called once, when the library is loaded. */
extern void item_table_init(void);

/*
 * Locks the items of an order table and returns their description; NULL if
 * the order table has none.  OC014 if the configuration no longer matches.
 */
extern ItemTable *item_table_open(OrderTable *orders, LOCKMODE lock);

/* A ConfigRowCallback for ordcancel.item_table: stores the OID of the items. */
extern void item_table_load_relid(HeapTuple row, TupleDesc desc, void *arg);

/*
 * For triggers: the order table whose items are in a relation or a partition
 * of it; InvalidOid if it is not attached.
 */
extern Oid item_table_orders(Relation rel);

#endif /* ORDCANCEL_ITEM_TABLE_H */
