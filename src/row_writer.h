/*
 * row_writer.h — writing rows without a statement
 *
 * What INSERT and UPDATE would do to one table, at a fraction of their cost:
 * the same triggers, constraints and indexes, but no plan to start and end.
 * Where a table has what only a statement does (rules, statement triggers),
 * the caller runs one instead.
 */
#ifndef ORDCANCEL_ROW_WRITER_H
#define ORDCANCEL_ROW_WRITER_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "storage/itemptr.h"
#include "utils/relcache.h"

typedef struct RowWriter
{
	Relation	   rel;
	EState		  *estate;
	ResultRelInfo *info;
	EPQState	   epq;
} RowWriter;

/*
 * May rows be inserted, or updated, so?  "guard" is the function of our own
 * trigger, which has nothing to say of what is written here.
 */
extern bool writer_may_insert(Relation rel, Oid guard);
extern bool writer_may_update(Relation rel);

/*
 * The caller holds ROW EXCLUSIVE on the relation.  "updated" is the column
 * that will be changed, 0 for inserts.  Triggers of "guard" do not fire.
 */
extern void writer_open(RowWriter *w, Relation rel, AttrNumber updated,
						Oid guard);
extern void writer_close(RowWriter *w);

/* Inserts the rows in the slots, all at once. */
extern void writer_insert(RowWriter *w, TupleTableSlot **slots, int count);

/* What became of an update. */
typedef enum RowUpdate
{
	ROW_UPDATED,
	ROW_SUPPRESSED, /* by a trigger */
	ROW_CHANGED,	/* by a trigger, under our hands */
} RowUpdate;

/* Updates the row at tid, which the caller has locked, to what is in the slot.
 */
extern RowUpdate writer_update(RowWriter *w, ItemPointer tid,
							   TupleTableSlot *slot);

extern bool writer_has_before_triggers(const RowWriter *w);

/* Before the first and after the last of a set of updates: AFTER triggers. */
extern void writer_begin_updates(RowWriter *w);
extern void writer_end_updates(RowWriter *w);

#endif /* ORDCANCEL_ROW_WRITER_H */
