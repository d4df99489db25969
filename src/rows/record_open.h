/*
 * record_open.h — opens record tables
 *
 * What is read and written there runs the code of indexes, constraints and
 * triggers as the owner of the extension.  So a record table must belong to that
 * owner, or to another superuser.  It may not where a superuser has given it
 * away, or where the configuration was restored or replicated and somebody else
 * had created a table of that name.
 *
 * All of this raises OC014 if the table belongs to another role.
 */
#ifndef ORDCANCEL_RECORD_OPEN_H
#define ORDCANCEL_RECORD_OPEN_H

#include "storage/lockdefs.h"
#include "utils/relcache.h"

#include "config/order_table.h"

/* Opens a record table; raises OC014 if it was dropped. */
extern Relation record_open(Oid relid, LOCKMODE lock);

/* The same for a record table that may have been dropped; then NULL. */
extern Relation record_try_open(Oid relid, LOCKMODE lock);

/* Raises OC014: the record table belongs to another role. */
pg_noreturn extern void record_raise_foreign(Relation rel);

/* The qualified, quoted name of a record table; OC014 if it was dropped. */
extern char *record_table_label(Oid relid);

/* The table of those that inherit from it, or itself, that another role owns. */
extern Oid record_find_foreign(Oid relid);

/* Checks a record table, which must exist, and its archives. */
extern void record_check_owner(Oid relid);

/* Checks the record tables of an order table that exist, and their archives. */
extern void record_check_owners(const OrderTable *table);

/* Raises OC014: something that attach() creates is missing. */
pg_noreturn extern void record_raise_missing(const char *detail);

#endif /* ORDCANCEL_RECORD_OPEN_H */
