/*
 * config_table.h — reading the extension's own tables
 *
 * Scans without SQL: no privileges, no search_path and no plan are involved,
 * and the newest committed rows are seen in every isolation level.  Columns
 * are addressed by position; the install script only ever appends to them.
 */
#ifndef ORDCANCEL_CONFIG_TABLE_H
#define ORDCANCEL_CONFIG_TABLE_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"

#include "base/compat.h"

/* Called for each row; the row is gone when it returns. */
typedef void (*ConfigRowCallback)(HeapTuple row, TupleDesc desc, void *arg);

/* The OID of a relation in schema ordcancel, or InvalidOid. */
extern Oid config_relation(const char *name);

/* The extension was dropped while we were at work. */
pg_noreturn extern void config_raise_dropped(void);

/* The owner of the extension, who may write its tables. */
extern Oid config_owner(void);

/*
 * Reads a configuration table in primary-key order: the rows of one order
 * table, or with InvalidOid all rows.  Returns how many there were.
 */
extern int config_scan(const char *name, Oid orders, ConfigRowCallback row,
					   void *arg);
/* The record tables that were detached, or whose order table is gone. */
extern int config_scan_detached(ConfigRowCallback row, void *arg);

/* Some of the rows of one order table: those with a text in a column. */
typedef struct ConfigSearch
{
	const char *table;
	const char *index;	  /* (orders, column, ...) */
	bool		bytewise; /* the column is in it in the collation "C" */
	Oid			orders;
	int			column;
	const char *text;
	bool		beyond; /* greater texts instead */
	bool		first;	/* only the first row */
} ConfigSearch;

/* Reads them in the order of the index.  Returns how many there were. */
extern int config_find(const ConfigSearch *search, ConfigRowCallback row,
					   void *arg);

/*
 * Adds a row to a mark.  The marks of two readings are the same only if the
 * rows were, version by version.
 */
extern uint64 config_fingerprint(uint64 mark, HeapTuple row);

/* A column of a row, copied; NULL where the column is NULL. */
extern char		*config_text(HeapTuple row, TupleDesc desc, int column);
extern char		*config_name(HeapTuple row, TupleDesc desc, int column);
extern Interval *config_interval(HeapTuple row, TupleDesc desc, int column);
extern char	   **config_names(HeapTuple row, TupleDesc desc, int column,
							  int *count);
extern bool		 config_bool(HeapTuple row, TupleDesc desc, int column);
extern Oid		 config_oid(HeapTuple row, TupleDesc desc, int column);
extern int		 config_int(HeapTuple row, TupleDesc desc, int column);

#endif /* ORDCANCEL_CONFIG_TABLE_H */
