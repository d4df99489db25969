/*
 * virtual_columns.h — columns that a row does not hold
 *
 * Since PostgreSQL 18 a generated column is virtual by default: SQL computes
 * it, and in the row that C reads it is NULL.  Their expressions call nothing
 * of a user's.
 */
#ifndef ORDCANCEL_VIRTUAL_COLUMNS_H
#define ORDCANCEL_VIRTUAL_COLUMNS_H

#include "access/htup.h"
#include "catalog/pg_attribute.h"
#include "utils/relcache.h"

#ifdef ATTRIBUTE_GENERATED_VIRTUAL
#define column_is_virtual(att) \
	((att)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define column_is_virtual(att) false
#endif

/* The row of a relation with its virtual columns; itself if it has none. */
extern HeapTuple virtual_columns_computed(HeapTuple row, Relation rel);

#endif /* ORDCANCEL_VIRTUAL_COLUMNS_H */
