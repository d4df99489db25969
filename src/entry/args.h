/*
 * entry.h — what the SQL functions and triggers have in common on their way in
 */
#ifndef ORDCANCEL_ENTRY_H
#define ORDCANCEL_ENTRY_H

#include "fmgr.h"
#include "storage/lockdefs.h"

#include "base/compat.h"
#include "rows/cancel_target.h"

/* The attached table of an argument, locked against DDL; else OC001. */
extern OrderTable *entry_table(bool isnull, Oid relid, LOCKMODE lock);

/* The type of an argument, also where the call carries no expression. */
extern Oid entry_argument_type(FunctionCallInfo fcinfo, int arg);

/* Sets c->key from an argument of any type; else OC002. */
extern void entry_key(OrderCase *c, FunctionCallInfo fcinfo, int arg);
extern void entry_read_key(OrderCase *c, Datum value, bool isnull, Oid type);

/* An error unless the caller may read something of the table. */
extern void entry_may_read(const OrderTable *table);

/*
 * Does the caller see the orders?  Those that he does not become not found.
 * The caller is connected to SPI.
 */
extern void entry_see(OrderCase *cases, int count, bool skip_locked);

/*
 * Takes out of a refusal of a plain write what the writer may not read: with
 * UPDATE alone one must not find out keys and statuses.
 */
extern void entry_hide_from_writer(const OrderTable *table, bool whole_table,
								   Refusal *refusal);

/* Raises OC002 for the order that an argument names. */
pg_noreturn extern void entry_not_found(const OrderCase *c,
										FunctionCallInfo fcinfo, int arg);

/* Who acts when a call names nobody: ordcancel.actor, else the role. */
extern char *entry_default_actor(void);

/* An error when a name is longer than 255 characters; NULL is none. */
extern void entry_check_name(const char *name, const char *what);

/*
 * Arguments: a text, a name of up to 255 characters, and who acts.  NULL where
 * they are NULL, but somebody always acts.
 */
extern char *entry_text(FunctionCallInfo fcinfo, int arg);
extern char *entry_name(FunctionCallInfo fcinfo, int arg, const char *what);
extern char *entry_actor(FunctionCallInfo fcinfo, int arg);

#endif /* ORDCANCEL_ENTRY_H */
