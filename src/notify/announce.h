/*
 * announce.h — notifies listeners of an event
 *
 * A notification is a JSON object with the event's ID and, unless the table is
 * attached with notify_payload => 'id', the order and the change.  It is only
 * a hint to read the event table: a listener that is not connected misses it,
 * and long values are cut.
 */
#ifndef ORDCANCEL_ANNOUNCE_H
#define ORDCANCEL_ANNOUNCE_H

#include "rows/cancel_target.h"
#include "rows/record.h"

/*
 * Sends the notification for an event that was written, as ordcancel.notify
 * says: not at all, by NOTIFY, or through the relay.
 */
extern void announce(const CancelTarget *c, const Event *event);

#endif /* ORDCANCEL_ANNOUNCE_H */
