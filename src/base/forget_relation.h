/*
 * forget_relation.h — dropping relations from PostgreSQL's cache
 *
 * PostgreSQL keeps what it knows of a relation for as long as the session lasts,
 * some kilobytes for each table and index.  A session that serves thousands of
 * shops would keep all of their record tables.
 */
#ifndef ORDCANCEL_FORGET_RELATION_H
#define ORDCANCEL_FORGET_RELATION_H

/*
 * Forgets a table and its indexes, as if an invalidation of them had arrived:
 * what is open is read again, and what is used again is loaded again.
 */
extern void forget_relation(Oid relid);

#endif /* ORDCANCEL_FORGET_RELATION_H */
