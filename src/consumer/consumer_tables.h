/*
 * consumer_tables.h — the event tables that a consumer reads
 */
#ifndef ORDCANCEL_CONSUMER_TABLES_H
#define ORDCANCEL_CONSUMER_TABLES_H

#include "nodes/pg_list.h"

#include "consumer/consumer.h"

/*
 * The OIDs of the event tables of the consumer's order table, or of all order
 * tables that its owner may read: with SELECT and without row-level security.
 * Includes tables of order tables that were detached or dropped, since their
 * last events may not have been read.  No table is locked.
 *
 * If the consumer is of one order table that has no event table, or that the
 * owner may not read, raises OC001 or 42501, or returns NIL if missing_ok.
 */
extern List *consumer_tables(const Consumer *c, bool missing_ok);

#endif /* ORDCANCEL_CONSUMER_TABLES_H */
