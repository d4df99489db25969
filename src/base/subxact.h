/*
 * subxact.h — running a step that may fail in a subtransaction
 */
#ifndef ORDCANCEL_SUBXACT_H
#define ORDCANCEL_SUBXACT_H

/* The work to do; it is connected to SPI. */
typedef void (*SubxactStep)(void *arg);

/*
 * Runs the step in a subtransaction of its own, in the caller's memory
 * context.  Returns NULL, or the error that rolled the subtransaction back.
 * If the user canceled the query or the server terminates the session, the
 * error is rethrown instead.
 */
extern ErrorData *subxact_try(SubxactStep step, void *arg);

/* The same, but returns every error. */
extern ErrorData *subxact_try_any(SubxactStep step, void *arg);

#endif /* ORDCANCEL_SUBXACT_H */
