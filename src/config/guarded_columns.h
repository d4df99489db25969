/*
 * guarded_columns.h — the columns whose changes the update trigger checks
 *
 * These are the status, primary key and policy_by columns, and those that
 * deleted_when reads.  They are found in pg_depend, so that updates of other
 * columns still work while the configuration does not match the table.  Cached
 * per relation.
 */
#ifndef ORDCANCEL_GUARDED_COLUMNS_H
#define ORDCANCEL_GUARDED_COLUMNS_H

#include "access/attnum.h"
#include "utils/relcache.h"

/* Called once, when the library is loaded. */
extern void guarded_columns_init(void);

/*
 * Sets *columns to the guarded columns of an attached table or one of its
 * partitions, and returns their number.  The array is valid until the next
 * call.  0 if they cannot be determined; then every update must be checked.
 */
extern int guarded_columns_get(Relation rel, const AttrNumber **columns);

#endif /* ORDCANCEL_GUARDED_COLUMNS_H */
