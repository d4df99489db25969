/*
 * direct_write.h — writing rows without a statement
 *
 * What INSERT and UPDATE would do to one table, at a fraction of their cost:
 * the same row triggers, constraints and indexes, but no plan to start and
 * end.  It is how logical replication applies its changes.  Where a table has
 * what only a statement does (rules, statement triggers), the caller runs one
 * instead.
 */
#ifndef ORDCANCEL_DIRECT_WRITE_H
#define ORDCANCEL_DIRECT_WRITE_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/relcache.h"

typedef struct DirectWrite
{
	Relation	   rel;
	EState		  *estate;
	ResultRelInfo *info;
	EPQState	   epq;
} DirectWrite;

/* May rows of an order table be updated so? */
extern bool direct_write_can_update(Relation rel);

/*
 * The caller holds ROW EXCLUSIVE on the relation.  "updated" is the column
 * that will be changed; 0 where that is nobody's business.  Triggers of the
 * function "guard" do not fire.  AFTER triggers fire at the close.
 */
extern void direct_write_open(DirectWrite *w, Relation rel, AttrNumber updated,
							  Oid guard);
extern void direct_write_close(DirectWrite *w);

/* Returns false when a trigger has suppressed the row. */
extern bool direct_write_insert(DirectWrite *w, TupleTableSlot *row);

/*
 * Updates a row, which the caller has locked and read into a slot.  Returns
 * false when a trigger has suppressed it.  Where somebody has overtaken us,
 * "overtaken" raises an error of its own, with "arg".
 */
typedef void (*DirectWriteConflict)(const void *arg);

extern bool direct_write_update(DirectWrite *w, TupleTableSlot *row,
								TupleTableSlot	   *fresh,
								DirectWriteConflict overtaken,
								const void		   *arg);

extern bool direct_write_has_before_triggers(const DirectWrite *w);

#endif /* ORDCANCEL_DIRECT_WRITE_H */
