/*
 * record_scan.h — reads the open cancellations of a table
 *
 * For reports and sweep(), which visit every attached table.  So this plans
 * nothing, needs no OrderTable, and keeps no lock.
 */
#ifndef ORDCANCEL_RECORD_SCAN_H
#define ORDCANCEL_RECORD_SCAN_H

#include "base/read_snapshot.h"
#include "rows/open_index.h"

/*
 * Called for each row, with its values in the order of cancellation_columns.
 * They are valid until it returns; the current memory context is reset then.
 * Returns false to end the scan.
 */
typedef bool (*RecordScanCallback)(const Datum *values, const bool *nulls,
								   void *arg);

/*
 * Reads the cancellations that are in this state, requested or in progress,
 * through the partial index that attach() creates for it, or the whole table if
 * that index is missing.  Returns false if the rows cannot be read, because the
 * table was dropped or lacks a column.
 */
extern bool record_scan(Oid cancellation_table, OpenKind kind,
						ReadSnapshot snapshot, RecordScanCallback row,
						void *arg);

/* Raises OC014 if the table was dropped or lacks a column. */
extern void record_scan_check(Oid cancellation_table);

#endif /* ORDCANCEL_RECORD_SCAN_H */
