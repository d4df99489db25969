/*
 * event_data.h — the details of events, as JSON
 */
#ifndef ORDCANCEL_EVENT_DATA_H
#define ORDCANCEL_EVENT_DATA_H

#include "rows/cancel_target.h"

/*
 * The data column of an event that the decision on a target leads to: a JSON
 * object without metadata, or NULL.  moved_to is the new status of the order.
 */
extern char *event_data(const CancelTarget *c, const CancelArgs *args,
						EventType type, const char *moved_to);

#endif /* ORDCANCEL_EVENT_DATA_H */
