/*
 * args.h — what the SQL functions and triggers have in common on their way in
 */
#ifndef ORDCANCEL_ARGS_H
#define ORDCANCEL_ARGS_H

#include "fmgr.h"
#include "storage/lockdefs.h"

#include "base/compat.h"
#include "rows/cancel_target.h"

/* The attached table of an argument, locked against DDL; else OC001. */
extern OrderTable *args_table(bool isnull, Oid relid, LOCKMODE lock);

/* The type of an argument, also where the call carries no expression. */
extern Oid args_type(FunctionCallInfo fcinfo, int arg);

/* Sets c->key from an argument of any type; else OC002. */
extern void args_key(CancelTarget *c, FunctionCallInfo fcinfo, int arg);
extern void args_read_key(CancelTarget *c, Datum value, bool isnull, Oid type);

/* Raises OC002 for the order that an argument names. */
pg_noreturn extern void args_raise_not_found(const CancelTarget *c,
											 FunctionCallInfo fcinfo, int arg);

/* Who acts when a call names nobody: ordcancel.actor, else the role. */
extern char *args_default_actor(void);

/* An error when a name is longer than 255 characters; NULL is none. */
extern void args_check_name(const char *name, const char *what);

/*
 * Arguments: a text, a name of up to 255 characters, and who acts.  NULL where
 * they are NULL, but somebody always acts.
 */
extern char *args_text(FunctionCallInfo fcinfo, int arg);
extern char *args_name(FunctionCallInfo fcinfo, int arg, const char *what);
extern char *args_actor(FunctionCallInfo fcinfo, int arg);

#endif /* ORDCANCEL_ARGS_H */
