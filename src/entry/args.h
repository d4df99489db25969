/*
 * args.h — reading the arguments of SQL functions
 *
 * What the functions and triggers share before they call the lifecycle: find
 * the order table, read the order's key, and determine the actor.
 */
#ifndef ORDCANCEL_ARGS_H
#define ORDCANCEL_ARGS_H

#include "fmgr.h"
#include "storage/lockdefs.h"

#include "base/compat.h"
#include "rows/cancel_target.h"

/*
 * Locks the relation and returns its cached description.  Raises OC001 if it
 * is NULL or not attached.
 */
extern OrderTable *args_table(bool isnull, Oid relid, LOCKMODE lock);

/*
 * The type of an argument, also for calls by the fast-path protocol, which
 * carry no expression tree.
 */
extern Oid args_type(FunctionCallInfo fcinfo, int arg);

/*
 * Sets c->key, allocated in the current context, from an argument or value of
 * any type.  Raises OC002 if it cannot be a key of c->table.
 *
 * If c->table is distributed, args_key() sets it to the shard of the order, and
 * raises 0A000 if that is on another node.
 */
extern void args_key(CancelTarget *c, FunctionCallInfo fcinfo, int arg);
extern void args_read_key(CancelTarget *c, Datum value, bool isnull, Oid type);

/*
 * The shard of an order of a distributed table, which stays on this node until
 * the end of the transaction; InvalidOid if it is on another one.
 */
extern Oid args_shard_of_key(const OrderTable *table, const Datum *key);

/*
 * Keeps a shard on this node until the end of the transaction; 0A000 if it was
 * moved away.  Nothing to do for other tables.
 */
extern void args_hold_shard(const OrderTable *table);

/* Raises OC002 for the order that an argument names. */
pg_noreturn extern void args_raise_not_found(const CancelTarget *c,
											 FunctionCallInfo fcinfo, int arg);

/* Is a procedure called where it cannot commit? */
extern bool args_call_is_atomic(FunctionCallInfo fcinfo);

/* The actor if a call has none: ordcancel.actor, else the current role. */
extern char *args_default_actor(void);

/*
 * Raises 22001 if a name is longer than 255 characters.  "what" is the subject
 * of the message.  NULL is accepted.
 */
extern void args_check_name(const char *name, const char *what);

/*
 * An argument as a palloc'd string, or NULL.  args_name also checks its
 * length.  args_actor is never NULL: it falls back to args_default_actor.
 */
extern char *args_text(FunctionCallInfo fcinfo, int arg);
extern char *args_name(FunctionCallInfo fcinfo, int arg, const char *what);
extern char *args_actor(FunctionCallInfo fcinfo, int arg);

/*
 * A numeric argument, or NULL; also NULL if an older version of the extension
 * has declared the function without it.
 */
extern Numeric args_numeric(FunctionCallInfo fcinfo, int arg);

/*
 * Sets the metadata of a call from the argument, unless it is NULL.  Raises
 * 22023 if it is no JSON object, and 22001 if it has more than 8 kB as text.
 */
extern void args_metadata(FunctionCallInfo fcinfo, int arg, CancelArgs *args);

/* A boolean argument; NULL is false. */
extern bool args_bool(FunctionCallInfo fcinfo, int arg);

#endif /* ORDCANCEL_ARGS_H */
