/*
 * cancel_orders.h — the orders of a call of cancel_orders
 */
#ifndef ORDCANCEL_CANCEL_ORDERS_H
#define ORDCANCEL_CANCEL_ORDERS_H

#include "decision/refusal.h"
#include "lifecycle/lifecycle.h"

/* An element of the array, and its row of the result. */
typedef struct OrderEntry
{
	Datum			   value;
	bool			   isnull;
	bool			   readable; /* it is a key */
	Datum			  *key;
	struct OrderEntry *duplicate_of; /* an earlier one with the same key */
	const char		  *outcome;
	char			  *order_id; /* NULL: the element is NULL */
	bool			   has_id;
	int64			   cancellation_id;
	int				   sqlstate; /* if refused */
	char			  *message;
} OrderEntry;

typedef struct OrderSet
{
	OrderTable	 *table;
	CancelArgs	  args;
	bool		  abort; /* raise the first refusal */
	Oid			  type;	 /* of the elements */
	int			  count;
	OrderEntry	 *entries;
	int			  reading; /* the one whose key is being read */
	MemoryContext context; /* for the result */

	/* of a distributed table: the shard that orders are canceled in */
	OrderTable *shard;
} OrderSet;

/* Notes that an order was not canceled. */
extern void cancel_orders_refuse(OrderSet *o, OrderEntry *entry,
								 const Refusal *refusal);

/* Cancels the orders whose keys were read, and notes what has become of them. */
extern void cancel_orders_run(OrderSet *o);

#endif /* ORDCANCEL_CANCEL_ORDERS_H */
