/*
 * order_image.h — the rows of orders, for the owner's expressions
 *
 * Fetches the row versions that were read before, whatever has happened to
 * them since, so they must be locked or protected by an active snapshot.
 */
#ifndef ORDCANCEL_ORDER_IMAGE_H
#define ORDCANCEL_ORDER_IMAGE_H

#include "nodes/bitmapset.h"
#include "utils/relcache.h"

#include "rows/cancel_target.h"
#include "rows/place.h"

typedef struct OrderImages
{
	Places	 places;
	Relation rel;  /* the order table */
	Oid		 type; /* its row type */
} OrderImages;

extern void order_images_begin(OrderImages *images, const OrderTable *table);
extern void order_images_end(OrderImages *images);

/*
 * Returns the row in the row type of the table.  It is valid until the next
 * call.
 */
extern HeapTuple order_images_row(OrderImages *images, const CancelTarget *c);

/*
 * Returns a copy of the row, as a composite value, in which all columns that
 * are not in the set are null, so that they are neither copied nor detoasted.
 * The set has attribute numbers; 0 stands for all.
 */
extern Datum order_images_datum(OrderImages *images, const CancelTarget *c,
								const Bitmapset *columns);

#endif /* ORDCANCEL_ORDER_IMAGE_H */
