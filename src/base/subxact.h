/*
 * subxact.h — doing something that may fail, and going on
 */
#ifndef ORDCANCEL_SUBXACT_H
#define ORDCANCEL_SUBXACT_H

typedef void (*SubxactStep)(void *arg);

/*
 * Runs a step in a subtransaction of its own, connected to SPI.  Returns NULL,
 * or the error, with all that the step did undone.  Whoever cancels or ends
 * the session is obeyed: that error goes on.
 */
extern ErrorData *subxact_try(SubxactStep step, void *arg);

/* The same, and returns that error too. */
extern ErrorData *subxact_try_any(SubxactStep step, void *arg);

#endif /* ORDCANCEL_SUBXACT_H */
