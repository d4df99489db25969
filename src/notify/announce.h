/*
 * announce.h — telling listeners of an event
 *
 * NOTIFY is a wake-up: the event table is the truth.  The payload names the
 * event, the order and the change, and always fits.
 */
#ifndef ORDCANCEL_ANNOUNCE_H
#define ORDCANCEL_ANNOUNCE_H

#include "rows/cancel_target.h"
#include "rows/record_read.h"

extern void announce(const CancelTarget *c, const Event *event);

#endif /* ORDCANCEL_ANNOUNCE_H */
