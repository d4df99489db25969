/*
 * record_columns.h — the columns of the record tables and their positions
 *
 * A record table is the cancellation table or the event table of an order
 * table.  It has the fixed columns listed here and a copy of each key column.
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
	CANCELLATION_COLUMNS, /* their number */
} CancellationColumn;

/* An array ends with a name of NULL. */
typedef ResultColumn RecordColumn;

extern const RecordColumn cancellation_columns[];
extern const RecordColumn event_columns[];

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
					   const OrderTable *table, Relation rel);

/*
 * Looks up those of the columns in the array only.  Returns false if one is
 * missing or has the wrong type.
 */
extern bool record_find_columns(AttrNumber		   *attnums,
								const RecordColumn *columns, Relation rel);

/* The attribute number of a column; OC014 if there is none of that name. */
extern int record_column(Relation rel, const char *name);

#endif /* ORDCANCEL_RECORD_COLUMNS_H */
