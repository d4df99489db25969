/*
 * partition_map.h — from the columns of a partition to those of its table
 */
#ifndef ORDCANCEL_PARTITION_MAP_H
#define ORDCANCEL_PARTITION_MAP_H

#include "access/tupconvert.h"
#include "utils/relcache.h"

extern void partition_map_init(void);

/*
 * How rows of a partition, at any level, become rows of the table.  NULL if they
 * are that already, which is remembered.
 */
extern TupleConversionMap *partition_map(Relation partition, Relation table);

#endif /* ORDCANCEL_PARTITION_MAP_H */
