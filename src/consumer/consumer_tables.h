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
 * last events may not have been read.  Raises OC001 if the consumer's order
 * table has no event table, 42501 if the owner may not read it.  No table is
 * locked.
 */
extern List *consumer_tables(const Consumer *c);

#endif /* ORDCANCEL_CONSUMER_TABLES_H */
