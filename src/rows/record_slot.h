/*
 * record_slot.h — reads a row of the cancellation table into a target
 */
#ifndef ORDCANCEL_RECORD_SLOT_H
#define ORDCANCEL_RECORD_SLOT_H

#include "executor/tuptable.h"

#include "rows/cancel_target.h"
#include "rows/record_columns.h"

/* Sets has_record and record; copies in the current memory context. */
extern void record_from_slot(CancelTarget *c, TupleTableSlot *row,
							 const RecordMap *map);

#endif /* ORDCANCEL_RECORD_SLOT_H */
