/*
 * generated_columns.h — computes generated columns of a row that is not written
 */
#ifndef ORDCANCEL_GENERATED_COLUMNS_H
#define ORDCANCEL_GENERATED_COLUMNS_H

#include "access/htup.h"
#include "utils/relcache.h"

/*
 * A copy of the row with its generated columns, stored and virtual ones,
 * computed from the others; the row itself if there are none.
 */
extern HeapTuple generated_columns_computed(HeapTuple row, Relation rel);

#endif /* ORDCANCEL_GENERATED_COLUMNS_H */
