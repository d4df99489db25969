/*
 * relay.h — the workers that announce after the commit
 */
#ifndef ORDCANCEL_RELAY_H
#define ORDCANCEL_RELAY_H

#include "fmgr.h"

/* When the postmaster loads the library. */
extern void relay_init(void);

extern PGDLLEXPORT void ordcancel_relay_main(Datum queue);

#endif /* ORDCANCEL_RELAY_H */
