/*
 * consumer_tables.h — the event tables that a consumer reads
 */
#ifndef ORDCANCEL_CONSUMER_TABLES_H
#define ORDCANCEL_CONSUMER_TABLES_H

#include "nodes/pg_list.h"

#include "consumer/consumer.h"

/* An event table and its order table, which is 0 if that is not known. */
typedef struct EventTable
{
	Oid events;
	Oid orders;
} EventTable;

/*
 * The event tables of the consumer's order table, or of all order tables; as
 * EventTable.  Includes tables of order tables that were detached or dropped,
 * since their last events may not have been read.  No table is locked.
 *
 * If the consumer is of one order table that has no event table, or that the
 * owner may not read, raises OC001 or 42501, or returns NIL if missing_ok.
 */
extern List *consumer_tables(const Consumer *c, bool missing_ok);

/*
 * May the consumer's owner read the events of the table?  With SELECT on the
 * order table and without row-level security, or with the same on the events
 * if there is no order table any more.
 */
extern bool consumer_may_read(const Consumer *c, const EventTable *table);

/* The same of a role and a table. */
extern bool consumer_role_may_read(Oid role, Oid relid);

#endif /* ORDCANCEL_CONSUMER_TABLES_H */
