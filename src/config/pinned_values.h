/*
 * pinned_values.h — the results of a pinned query as plain expressions
 */
#ifndef ORDCANCEL_PINNED_VALUES_H
#define ORDCANCEL_PINNED_VALUES_H

#include "nodes/parsenodes.h"

/*
 * The columns of the result, planned, as expressions over the rows of
 * PINNED_ROW as the outer tuple and of PINNED_RECORD as the inner tuple.  Sets
 * *immutable: they do not depend on settings.  Returns NIL if the query has to
 * be run, since it has subqueries, domains, or calls functions outside pg_catalog.
 */
extern List *pinned_values_of(const Query *query, bool *immutable);

#endif /* ORDCANCEL_PINNED_VALUES_H */
