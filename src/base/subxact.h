/*
 * attempt.h — doing something that may fail, and going on
 */
#ifndef ORDCANCEL_ATTEMPT_H
#define ORDCANCEL_ATTEMPT_H

typedef void (*AttemptStep)(void *arg);

/*
 * Runs a step in a subtransaction of its own, connected to SPI.  Returns NULL,
 * or the error, with all that the step did undone.  Whoever cancels or ends
 * the session is obeyed: that error goes on.
 */
extern ErrorData *attempt(AttemptStep step, void *arg);

/* The same, and returns that error too. */
extern ErrorData *attempt_any(AttemptStep step, void *arg);

#endif /* ORDCANCEL_ATTEMPT_H */
