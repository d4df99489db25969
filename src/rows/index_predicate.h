/*
 * index_predicate.h — conditions of partial indexes that are prepared once
 *
 * For each statement, PostgreSQL prepares the conditions of a table's partial
 * indexes anew.  For the few indexes of a record table that takes a tenth of a
 * single cancellation.
 */
#ifndef ORDCANCEL_INDEX_PREDICATE_H
#define ORDCANCEL_INDEX_PREDICATE_H

#include "nodes/execnodes.h"

/* Called once, when the library is loaded. */
extern void index_predicate_init(void);

/* Sets the conditions of the indexes that ExecOpenIndices() has opened. */
extern void index_predicate_use(ResultRelInfo *info);

#endif /* ORDCANCEL_INDEX_PREDICATE_H */
