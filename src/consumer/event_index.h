/*
 * event_index.h — the indexes on event_id
 *
 * Most of a thousand event tables have nothing new for a consumer, and the last
 * entry of the index alone shows this.
 */
#ifndef ORDCANCEL_EVENT_INDEX_H
#define ORDCANCEL_EVENT_INDEX_H

#include "utils/relcache.h"

/* Called once, when the library is loaded. */
extern void event_index_init(void);

/*
 * The primary key of an event table, on event_id.  The caller holds a lock on
 * the table.  Raises OC014 if there is none.
 */
extern Oid event_index_find(Relation events);

/*
 * Returns false if the active snapshot sees no event with a higher ID than this
 * one in the table.  Does not open the table, and keeps no lock.
 */
extern bool event_index_may_exceed(Oid event_table, int64 event_id);

#endif /* ORDCANCEL_EVENT_INDEX_H */
