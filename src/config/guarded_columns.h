/*
 * watched.h — the columns of an order table whose changes are judged
 */
#ifndef ORDCANCEL_WATCHED_H
#define ORDCANCEL_WATCHED_H

#include "access/attnum.h"
#include "utils/relcache.h"

extern void watched_init(void);

/*
 * The columns of a guarded table, or partition; returns how many.  None when
 * they cannot be found out: then every change has to be judged.
 */
extern int watched_columns(Relation rel, const AttrNumber **columns);

#endif /* ORDCANCEL_WATCHED_H */
