/*
 * partition_result.h — partitions whose rows are updated without a statement
 */
#ifndef ORDCANCEL_PARTITION_RESULT_H
#define ORDCANCEL_PARTITION_RESULT_H

#include "nodes/execnodes.h"
#include "utils/relcache.h"

/* A ResultRelInfo for a leaf partition of the relation of "root". */
extern ResultRelInfo *partition_result_open(ResultRelInfo *root, Relation rel);

/*
 * Leaves out the check that rows still belong to the partition if an update of
 * these columns of the table cannot move them.  They are given as attribute
 * numbers less FirstLowInvalidHeapAttributeNumber.  To be called once it is known
 * which triggers fire.
 */
extern void partition_result_omit_check(ResultRelInfo	*info,
										const Bitmapset *updated);

#endif /* ORDCANCEL_PARTITION_RESULT_H */
