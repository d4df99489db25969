/*
 * ended_records.h — reads the cancellations that may be old enough to go
 *
 * That is, those that closed before a time, whether they have ended or are in
 * effect; some thousands at a time, so that memory does not grow with them.
 */
#ifndef ORDCANCEL_ENDED_RECORDS_H
#define ORDCANCEL_ENDED_RECORDS_H

#include "datatype/timestamp.h"
#include "utils/portal.h"

#include "rows/cancel_target.h"

typedef struct EndedRecord
{
	int64 id;
	bool  canceled; /* its state; otherwise it has ended */
	bool  counts;	/* later calls for the order need its amounts */
	bool  due;		/* it is canceled, but not fully refunded */
	bool  unread;	/* has events above "settled", or set aside */
	bool  exists;	/* the order does */
} EndedRecord;

typedef struct EndedReader
{
	OrderTable	*table;
	Portal		 cursor;
	int			 count; /* of those that were read last */
	EndedRecord *records;
} EndedReader;

/* Connected to SPI; results are in the current memory context. */
extern void ended_records_begin(EndedReader *reader, OrderTable *table,
								TimestampTz before, int64 settled);

/* Reads more of them; returns false if there are none. */
extern bool ended_records_next(EndedReader *reader);

extern void ended_records_end(EndedReader *reader);

#endif /* ORDCANCEL_ENDED_RECORDS_H */
