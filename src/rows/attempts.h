/*
 * attempts.h — reads past attempts to cancel orders of a table
 *
 * An attempt is a cancellation that a customer or a merchant began, with what
 * it was decided by and what it led to at once.  They are read in any order,
 * some thousands at a time, from records and events as the owner of the
 * extension, and from orders as the owner of the order table.
 */
#ifndef ORDCANCEL_ATTEMPTS_H
#define ORDCANCEL_ATTEMPTS_H

#include "executor/spi.h"

#include "config/order_table.h"

typedef struct Attempt
{
	int64		 id;	/* of the cancellation */
	char		*order; /* its key as text */
	Party		 party;
	char		*status; /* of the order, before it; or NULL */
	TimestampTz	 at;
	State		 was;		   /* what it led to at once */
	bool		 money_due;	   /* a refund was due */
	bool		 reason_given; /* with the attempt */
	bool		 override;	   /* by override_cancel */
	TimestampTz *placed_at; /* of the customer's order now; NULL: not known */
} Attempt;

typedef struct AttemptReader
{
	OrderTable *table;
	bool		need_placed_at;
	Portal		cursor;
	SPIPlanPtr	find_orders; /* or NULL */
	int			count;
	Attempt	   *attempts; /* the last ones */
} AttemptReader;

/*
 * Starts reading the attempts since a time, or all if it is null.  The caller
 * is connected to SPI.
 */
extern void attempts_begin(AttemptReader *reader, OrderTable *table,
						   bool need_placed_at, NullableDatum since);

/*
 * Reads the next ones into the current memory context, which may be reset
 * afterwards.  Returns false if there are no more.
 */
extern bool attempts_next(AttemptReader *reader);

extern void attempts_end(AttemptReader *reader);

#endif /* ORDCANCEL_ATTEMPTS_H */
