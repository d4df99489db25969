/*
 * guard_truncate.h — TRUNCATE of an order table
 *
 * It is refused.  With ordcancel.allow_truncate, a setting for test databases,
 * it empties the record tables along with the orders.
 */
#ifndef ORDCANCEL_GUARD_TRUNCATE_H
#define ORDCANCEL_GUARD_TRUNCATE_H

/* Is it the record table that such a statement empties at this moment? */
extern bool guard_truncate_is_ours(Oid relid);

#endif /* ORDCANCEL_GUARD_TRUNCATE_H */
