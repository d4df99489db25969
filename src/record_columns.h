/*
 * record_columns.h — the columns of the record tables, and where they are
 *
 * The tables are the owner's, who may have added columns, or changed their
 * types.  As long as ours are what attach made, rows are read and written by
 * position; else by statements.
 */
#ifndef ORDCANCEL_RECORD_COLUMNS_H
#define ORDCANCEL_RECORD_COLUMNS_H

#include "access/attnum.h"
#include "access/tupdesc.h"

#include "order_table.h"
#include "statement.h"

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
	int		   count; /* of our columns and the key's */
	AttrNumber attnums[PARAMETERS_MAX];
	bool	   complete; /* the table has no others */
} RecordMap;

/* False where one is missing or is of another type. */
extern bool record_map(RecordMap *map, const RecordColumn *columns,
					   const OrderTable *table, TupleDesc desc);

#endif /* ORDCANCEL_RECORD_COLUMNS_H */
