/*
 * guard_truncate.h — TRUNCATE of an order table
 *
 * It is refused, unless ordcancel.allow_truncate is on, a setting for test
 * databases.  Then the record tables are truncated along with the orders.
 */
#ifndef ORDCANCEL_GUARD_TRUNCATE_H
#define ORDCANCEL_GUARD_TRUNCATE_H

/* Is this record table being truncated by ordcancel right now? */
extern bool guard_truncate_is_ours(Oid relid);

#endif /* ORDCANCEL_GUARD_TRUNCATE_H */
