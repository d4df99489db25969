/*
 * call_key.h — the order that a call names by the first columns of its key
 */
#ifndef ORDCANCEL_CALL_KEY_H
#define ORDCANCEL_CALL_KEY_H

#include "base/read_snapshot.h"
#include "rows/cancel_target.h"

/*
 * Returns the key of the order, or NULL if there is none that the role may see.
 * "*why" is set to a DETAIL if the value cannot be a call key.  Raises 21000 if
 * several orders have it.
 */
extern Datum *call_key_resolve(OrderTable *table, Datum value, Oid type,
							   ReadSnapshot snapshot, char **why);

#endif /* ORDCANCEL_CALL_KEY_H */
