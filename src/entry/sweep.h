/*
 * sweep.h — the steps of a sweep
 *
 * sweep.c decides overdue requests, sweep_timers.c cancels expired orders.
 */
#ifndef ORDCANCEL_SWEEP_H
#define ORDCANCEL_SWEEP_H

#include "nodes/pg_list.h"

#include "base/subxact.h"

/* An order table that is swept. */
typedef struct SweptTable
{
	Oid			  relid;
	char		 *label;  /* quoted and qualified name */
	bool		  atomic; /* the CALL is in a transaction block */
	MemoryContext keep;	  /* outlives the commits */
} SweptTable;

/* Returns false if the table does not exist any more. */
extern bool sweep_begin_table(SweptTable *table, Oid relid, bool atomic);

/*
 * Runs a step in a subtransaction and a memory context of its own, and commits
 * it if possible.  An error becomes a warning, which begins with failure(arg).
 */
extern void sweep_step(const SweptTable *table, SubxactStep step, void *arg,
					   char *(*failure)(void *arg));

/* The statuses that have timers, of all tables. */
extern List *sweep_find_timers(void);

/* Cancels the expired orders of such a status, an element of that list. */
extern void sweep_timer(const void *timer, bool atomic);

#endif /* ORDCANCEL_SWEEP_H */
