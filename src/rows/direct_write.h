/*
 * direct_write.h — inserts and updates rows without running a statement
 *
 * Logical replication applies its changes in the same way, with
 * ExecSimpleRelationInsert() and ExecSimpleRelationUpdate(): row triggers
 * fire, constraints are checked and indexes maintained, but no query is
 * planned, started and shut down, which would be most of the cost for one
 * row.  Rules and statement triggers do not run; where a table has any, the
 * caller has to run a statement (direct_write_can_update).  Privileges are
 * not checked.
 */
#ifndef ORDCANCEL_DIRECT_WRITE_H
#define ORDCANCEL_DIRECT_WRITE_H

#include "executor/tuptable.h"
#include "nodes/execnodes.h"
#include "utils/relcache.h"

typedef struct DirectWrite
{
	EState		  *estate;
	ResultRelInfo *root; /* the relation that was opened */
	ResultRelInfo *info; /* it or the partition that is written now */
	EPQState	   epq;
	Oid			   guard;
	Bitmapset	  *updated; /* columns, as the range table has them */
} DirectWrite;

/*
 * Would an UPDATE of this table, or of a partitioned table, do nothing that
 * direct writes do not?
 */
extern bool direct_write_can_update(Relation rel);

/*
 * Prepares writes to a relation, on which the caller holds ROW EXCLUSIVE.
 * "updated" is the column that will be updated, for triggers that have a
 * column list; 0 if there are none such.  Triggers that call the function
 * "guard" do not fire.
 *
 * Pushes a snapshot; direct_write_close pops it, after AFTER triggers have
 * fired.  After an error, the end of the (sub)transaction cleans up.
 */
extern void direct_write_open(DirectWrite *w, Relation rel, AttrNumber updated,
							  Oid guard);
extern void direct_write_close(DirectWrite *w);

/* The same with several columns, as a set of attribute numbers. */
extern void direct_write_open_columns(DirectWrite *w, Relation rel,
									  const Bitmapset *updated, Oid guard);

/*
 * Goes on with this relation: the one that was opened, or a leaf partition of
 * it, which the caller keeps open until direct_write_close.  To write to a
 * partitioned table, it has to be called first.
 */
extern void direct_write_use(DirectWrite *w, Relation rel);

/* Returns false if a BEFORE trigger suppressed the row. */
extern bool direct_write_insert(DirectWrite *w, TupleTableSlot *row);

/* Raises the caller's own error for a row that was updated concurrently. */
typedef void (*DirectWriteConflict)(const void *arg);

/*
 * Replaces a row, which the caller has locked and read into a slot, by a new
 * version.  Returns false if a BEFORE trigger suppressed it.  Calls "conflict"
 * with "arg" if the row is no longer the latest version; it must not return.
 */
extern bool direct_write_update(DirectWrite *w, TupleTableSlot *row,
								TupleTableSlot	   *fresh,
								DirectWriteConflict conflict, const void *arg);

/* Can a BEFORE trigger have changed what direct_write_update wrote? */
extern bool direct_write_has_before_triggers(const DirectWrite *w);

/* Has the table columns that are computed from what was written? */
extern bool direct_write_has_generated(const DirectWrite *w);

/*
 * Starts a new version of a row: clears a virtual slot and copies all columns
 * of "row" to it.  The caller changes some and calls ExecStoreVirtualTuple.
 */
static inline void
direct_write_copy(TupleTableSlot *fresh, TupleTableSlot *row)
{
	int natts = fresh->tts_tupleDescriptor->natts;

	slot_getallattrs(row);
	ExecClearTuple(fresh);
	memcpy(fresh->tts_values, row->tts_values, natts * sizeof(Datum));
	memcpy(fresh->tts_isnull, row->tts_isnull, natts * sizeof(bool));
}

#endif /* ORDCANCEL_DIRECT_WRITE_H */
