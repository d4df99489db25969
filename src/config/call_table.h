/*
 * call_table.h — the cached tables of calls
 *
 * A row inserted into a table of calls is a call of a function of ordcancel; see
 * entry/run_call.c.  A backend keeps a CallTable for each that it has used.  It
 * is built again when the table or the configuration has changed; a replaced one
 * stays valid until the end of the transaction.
 */
#ifndef ORDCANCEL_CALL_TABLE_H
#define ORDCANCEL_CALL_TABLE_H

#include "executor/spi.h"
#include "utils/relcache.h"

/* More than the verbs that there are. */
#define CALL_PLANS 16

typedef struct CallTable
{
	MemoryContext context; /* holds all of this */
	Oid			  orders;
	int			  nkeys;
	char		**keys;				 /* its columns with the order's key */
	SPIPlanPtr	  plans[CALL_PLANS]; /* prepared on first use */
} CallTable;

/* Called once, when the library is loaded. */
extern void call_table_init(void);

/* OC001 unless the relation is the table of calls of an attached table. */
extern CallTable *call_table_of(Relation rel);

#endif /* ORDCANCEL_CALL_TABLE_H */
