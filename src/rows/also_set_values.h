/*
 * also_set_values.h — evaluates the values that also_set() sets
 *
 * For order_also_set.c.  All orders of a call are evaluated together.
 */
#ifndef ORDCANCEL_ALSO_SET_VALUES_H
#define ORDCANCEL_ALSO_SET_VALUES_H

#include "rows/order_image.h"

typedef struct AlsoSetRun
{
	OrderTable	 *table;
	CancelTarget *targets;
	int			  count;
	OrderImages	  images;	/* use also_set_images() */
	MemoryContext context;	/* for the values */
	int			  settings; /* GUC nesting level; 0: not changed */
} AlsoSetRun;

/*
 * Sets also_set of the open targets whose also_set_when this is.  Raises OC014
 * if an expression is no longer valid.
 */
extern void also_set_evaluate(AlsoSetRun *run, AlsoSetWhen when);

/* Begins them when they are first needed. */
extern OrderImages *also_set_images(AlsoSetRun *run);

/* The row of an order. */
extern HeapTuple also_set_row(AlsoSetRun *run, const CancelTarget *c);

/* The text, for the record, of a column of an order; NULL if it is null. */
extern char *also_set_current(const AlsoSetRun *run, const Column *column,
							  HeapTuple row);

/* Fixes settings (stable_settings.h), once for a run. */
extern void also_set_use_settings(AlsoSetRun *run);

#endif /* ORDCANCEL_ALSO_SET_VALUES_H */
