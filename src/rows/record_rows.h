/*
 * record_rows.h — inserts and updates rows of record tables
 *
 * Without a statement, like direct_write.h.  For the files record_*.c; other
 * code calls the functions of record.h.
 */
#ifndef ORDCANCEL_RECORD_ROWS_H
#define ORDCANCEL_RECORD_ROWS_H

#include "config/run_as.h"
#include "rows/cancel_target.h"
#include "rows/direct_write.h"
#include "rows/record_columns.h"

/* A record table that is open for writing. */
typedef struct RecordWrite
{
	Relation	rel;
	RecordMap	map;
	DirectWrite write;
	bool		as_extension_owner;
	RunAsScope	scope;
} RecordWrite;

extern void record_write_begin(RecordWrite *w, const OrderTable *table,
							   const RecordColumn *columns,
							   const RecordKeys *keys, Oid relid);

/* The same without w->map, for a caller that finds columns by name itself. */
extern void record_write_begin_unmapped(RecordWrite		 *w,
										const OrderTable *table, Oid relid);

/* Fires AFTER triggers. */
extern void record_write_end(RecordWrite *w);

/*
 * Stores a row in a slot: columns from the parameters, which are in the order
 * of the map, and others from "base", or null if that is NULL.
 */
extern void record_fill_slot(TupleTableSlot *slot, TupleTableSlot *base,
							 const Parameters *p, const RecordMap *map);

/* Sets the parameters to the columns of row i. */
typedef void (*RecordFill)(const void *rows, int i, Parameters *p);

/* Inserts rows. */
extern void record_write_rows(OrderTable *table, const RecordColumn *columns,
							  const RecordKeys *keys, Oid relid,
							  RecordFill fill, const void *rows, int count);

/*
 * The columns of c->record, in the order of cancellation_columns.  Texts whose
 * number is not in the set "wanted" are null.
 */
extern void record_columns_of(const CancelTarget *c, uint64 wanted,
							  Parameters *p);

/* Stores c->record in a slot, as a row of ordcancel.cancellation. */
extern void record_as_row(const CancelTarget *c, const RecordMap *map,
						  TupleTableSlot *slot);

/* Raises 40001, as a DirectWriteConflict: another transaction has updated it. */
extern void record_raise_conflict(const void *arg);

/* Raises 27000: a trigger has suppressed the row. */
pg_noreturn extern void record_raise_not_written(Relation rel);

#endif /* ORDCANCEL_RECORD_ROWS_H */
