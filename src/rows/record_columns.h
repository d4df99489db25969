/*
 * record_columns.h — the columns of the record tables and their positions
 *
 * The record tables of an order table are those of its cancellations, of its
 * events, and of the items that were canceled.  Each has the fixed columns
 * listed here and a copy of each key column, of the order or of the item.
 *
 * C code reads and writes rows by attribute number.  These differ between
 * record tables: a column added by a later version of the extension follows
 * the key columns in existing tables, but precedes them in new ones.  So the
 * numbers are looked up by name, and kept until the table changes.
 */
#ifndef ORDCANCEL_RECORD_COLUMNS_H
#define ORDCANCEL_RECORD_COLUMNS_H

#include "access/attnum.h"
#include "utils/relcache.h"

#include "base/result_row.h"
#include "config/order_table.h"
#include "rows/plan_cache.h"

/* Indexes into cancellation_columns. */
typedef enum CancellationColumn
{
	CANCELLATION_ID,
	CANCELLATION_ORDER_KEY,
	CANCELLATION_STATE,
	CANCELLATION_REQUESTED_BY,
	CANCELLATION_REQUESTED_ACTOR,
	CANCELLATION_DECIDED_BY,
	CANCELLATION_DECIDED_ACTOR,
	CANCELLATION_REASON,
	CANCELLATION_NOTE,
	CANCELLATION_DECISION_NOTE,
	CANCELLATION_UNDO_NOTE,
	CANCELLATION_PRIOR_STATUS,
	CANCELLATION_POLICY,
	CANCELLATION_REQUEST_KEY,
	CANCELLATION_REFUND_DUE,
	CANCELLATION_REFUNDED,
	CANCELLATION_REQUESTED_AT,
	CANCELLATION_DECIDED_AT,
	CANCELLATION_CLOSED_AT,
	CANCELLATION_DEADLINE,
	CANCELLATION_ORDER_STATUS,
	CANCELLATION_SCOPE,
	CANCELLATION_REFUND_OWED,
	CANCELLATION_METADATA,
	CANCELLATION_PRIOR_VALUES,
	CANCELLATION_REFUND_KEPT,
	CANCELLATION_FIRST_CLOSED_AT,
	CANCELLATION_COLUMNS, /* their number */
} CancellationColumn;

/* Indexes into item_columns. */
typedef enum ItemRecordColumn
{
	ITEM_CANCELLATION_ID,
	ITEM_KEY,
	ITEM_QUANTITY,
	ITEM_REFUND_DUE,
	ITEM_REASON,
	ITEM_NOTE,
	ITEM_PRIOR_STATUS,
	ITEM_RESTORED,
	ITEM_COLUMNS, /* their number */
} ItemRecordColumn;

/* An array ends with a name of NULL. */
typedef ResultColumn RecordColumn;

extern const RecordColumn cancellation_columns[];
extern const RecordColumn event_columns[];
extern const RecordColumn item_columns[];

/* The key columns of a record table: those of the order, or of the item. */
typedef struct RecordKeys
{
	uint64		  serial; /* of the OrderTable */
	const Column *columns;
	char *const	 *names; /* in the record table */
	int			  count;
} RecordKeys;

extern RecordKeys record_keys_of_order(const OrderTable *table);

typedef struct RecordMap
{
	/* of the columns in the array, followed by the key columns */
	AttrNumber attnums[PARAMETERS_MAX];
} RecordMap;

/* Called once, when the library is loaded. */
extern void record_columns_init(void);

/*
 * Looks up the attribute numbers in a record table.  Raises OC014 if a column
 * is missing or has the wrong type.
 */
extern void record_map(RecordMap *map, const RecordColumn *columns,
					   const RecordKeys *keys, Relation rel);

/*
 * The same as it was found before, without opening the table.  Returns false if it
 * was not, or the table has changed.
 */
extern bool record_map_known(RecordMap *map, const RecordKeys *keys,
							 Oid relid);

/*
 * Looks up those of the columns in the array only.  Returns false if one is
 * missing or has the wrong type.
 */
extern bool record_find_columns(AttrNumber		   *attnums,
								const RecordColumn *columns, Relation rel);

/* The attribute number of a column; OC014 if there is none of that name. */
extern int record_column(Relation rel, const char *name);

#endif /* ORDCANCEL_RECORD_COLUMNS_H */
