/*
 * reason_cache.h — reason codes and refund methods
 */
#ifndef ORDCANCEL_REASON_CACHE_H
#define ORDCANCEL_REASON_CACHE_H

#include "decision/decision.h"

extern void reason_cache_init(void);

/* NULL when there is no such reason; good until the transaction ends. */
extern const Reason *reason_cache_find(const char *code);

extern bool refund_method_exists(const char *code);

#endif /* ORDCANCEL_REASON_CACHE_H */
