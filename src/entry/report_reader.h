/*
 * report_reader.h — which records a report shows to its reader
 *
 * The reader is the current role, or the caller of the gate that runs the
 * report as the extension's owner.  The reader sees the records of the orders
 * that this role may read: all of a table, or what row-level security shows it.
 */
#ifndef ORDCANCEL_REPORT_READER_H
#define ORDCANCEL_REPORT_READER_H

#include "rows/visibility.h"

typedef struct ReportReader
{
	Oid			 role;
	Oid			 orders; /* the order table */
	OrdersAccess access;
} ReportReader;

/* The reader of records of this order table. */
extern ReportReader report_reader(Oid orders);

/*
 * Does the reader see the record of an order, given by its key as text?  Takes
 * a lock on the order table if row-level security applies.
 */
extern bool report_reader_sees(const ReportReader *reader, Datum order_key);

#endif /* ORDCANCEL_REPORT_READER_H */
