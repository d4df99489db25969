/*
 * relay.h — background workers that send notifications after the commit
 *
 * There is a worker for each database in ordcancel.relay_databases.  It reads
 * the queue of its database and sends what it reads by NOTIFY.
 */
#ifndef ORDCANCEL_RELAY_H
#define ORDCANCEL_RELAY_H

#include "fmgr.h"

/*
 * Registers the workers.  Called when the postmaster loads the library, from
 * shared_preload_libraries.
 */
extern void relay_init(void);

/* Main function of a worker; the argument is the number of its queue. */
extern PGDLLEXPORT void ordcancel_relay_main(Datum queue);

#endif /* ORDCANCEL_RELAY_H */
