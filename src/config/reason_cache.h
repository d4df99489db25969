/*
 * reason_cache.h — reason codes and refund methods
 *
 * Reasons are cached in the backend and loaded again when ordcancel.reason has
 * changed.  Refund methods are not cached.
 */
#ifndef ORDCANCEL_REASON_CACHE_H
#define ORDCANCEL_REASON_CACHE_H

#include "decision/decision.h"

/* Called once, when the library is loaded. */
extern void reason_cache_init(void);

/* The reason, valid until the end of the transaction; NULL if none. */
extern const Reason *reason_cache_find(const char *code);

/* Is it a code of ordcancel.refund_method?  False for NULL. */
extern bool refund_method_exists(const char *code);

#endif /* ORDCANCEL_REASON_CACHE_H */
