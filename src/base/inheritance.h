/*
 * inheritance.h — the table that a table inherits from
 */
#ifndef ORDCANCEL_INHERITANCE_H
#define ORDCANCEL_INHERITANCE_H

/* The first parent of a table; InvalidOid if it has none. */
extern Oid inheritance_parent(Oid relid);

/* The same of a table that the running statement may just have dropped. */
extern Oid inheritance_parent_of_dropped(Oid relid);

#endif /* ORDCANCEL_INHERITANCE_H */
