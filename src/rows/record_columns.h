/*
 * record_columns.h — the columns of the record tables, and where they are
 *
 * Rows are read and written by position.  A column that a later version adds
 * comes after the order's key in tables that exist, and before it in new ones,
 * so the positions are looked up by name.
 */
#ifndef ORDCANCEL_RECORD_COLUMNS_H
#define ORDCANCEL_RECORD_COLUMNS_H

#include "access/attnum.h"
#include "utils/relcache.h"

#include "config/order_table.h"
#include "rows/plan_cache.h"

/* In the order of the tables; the order's key comes after them. */
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
} CancellationColumn;

typedef struct RecordColumn
{
	const char *name; /* NULL: the end */
	Oid			type;
} RecordColumn;

extern const RecordColumn cancellation_columns[];
extern const RecordColumn event_columns[];

typedef struct RecordMap
{
	AttrNumber attnums[PARAMETERS_MAX]; /* of our columns, then the key's */
} RecordMap;

extern void record_columns_init(void);

/* OC014 where one is missing or is of another type. */
extern void record_map(RecordMap *map, const RecordColumn *columns,
					   const OrderTable *table, Relation rel);

#endif /* ORDCANCEL_RECORD_COLUMNS_H */
