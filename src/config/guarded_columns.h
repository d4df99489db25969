/*
 * guarded_columns.h — the columns of an order table whose changes are judged
 */
#ifndef ORDCANCEL_GUARDED_COLUMNS_H
#define ORDCANCEL_GUARDED_COLUMNS_H

#include "access/attnum.h"
#include "utils/relcache.h"

extern void guarded_columns_init(void);

/*
 * The columns of a guarded table, or partition; returns how many.  None when
 * they cannot be found out: then every change has to be judged.
 */
extern int guarded_columns_get(Relation rel, const AttrNumber **columns);

#endif /* ORDCANCEL_GUARDED_COLUMNS_H */
