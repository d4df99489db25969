/*
 * prune_events.h — deletes old events
 */
#ifndef ORDCANCEL_PRUNE_EVENTS_H
#define ORDCANCEL_PRUNE_EVENTS_H

/* Are events of this table being deleted by ordcancel right now? */
extern bool prune_events_is_ours(Oid relid);

#endif /* ORDCANCEL_PRUNE_EVENTS_H */
