/*
 * virtual_columns.h — computes virtual generated columns
 *
 * Since PostgreSQL 18 a generated column is virtual by default: it is computed
 * when a query reads it, and is null in the stored tuple, which C code reads.
 * PostgreSQL allows no user-defined functions or types in its expression, so
 * computing it runs no code of the table's owner.
 */
#ifndef ORDCANCEL_VIRTUAL_COLUMNS_H
#define ORDCANCEL_VIRTUAL_COLUMNS_H

#include "access/htup.h"
#include "catalog/pg_attribute.h"
#include "utils/relcache.h"

/* Takes a Form_pg_attribute; always false before PostgreSQL 18. */
#ifdef ATTRIBUTE_GENERATED_VIRTUAL
#define column_is_virtual(att) \
	((att)->attgenerated == ATTRIBUTE_GENERATED_VIRTUAL)
#else
#define column_is_virtual(att) false
#endif

/*
 * A copy of the row with its virtual columns computed, in the current memory
 * context; the row itself if the relation has none.
 */
extern HeapTuple virtual_columns_computed(HeapTuple row, Relation rel);

#endif /* ORDCANCEL_VIRTUAL_COLUMNS_H */
