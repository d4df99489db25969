/*
 * config_table.h — reads the configuration tables of the extension
 *
 * Rows are read by catalog-style scans instead of SQL.  So privileges,
 * search_path and plans do not matter, and the newest committed rows are seen
 * at every isolation level.  Columns are addressed by number, so upgrade
 * scripts must only append columns.
 */
#ifndef ORDCANCEL_CONFIG_TABLE_H
#define ORDCANCEL_CONFIG_TABLE_H

#include "access/htup.h"
#include "access/tupdesc.h"
#include "datatype/timestamp.h"

#include "base/compat.h"

/* Called for each row; the row is valid until the callback returns. */
typedef void (*ConfigRowCallback)(HeapTuple row, TupleDesc desc, void *arg);

/* The OID of a relation in schema ordcancel, or InvalidOid if none. */
extern Oid config_relation(const char *name);

/* The owner of a relation, or InvalidOid. */
extern Oid config_relation_owner(Oid relid);

/* Raises 42704: the extension was dropped concurrently. */
pg_noreturn extern void config_raise_dropped(void);

/* The role that owns the extension's tables; 42704 if they are gone. */
extern Oid config_owner(void);

/*
 * May code of this role run as the owner of the extension?  Only if it is that
 * role, or a superuser.
 */
extern bool config_trusts(Oid role);

/*
 * Reads the rows of one order table, or all rows if "orders" is InvalidOid, in
 * primary key order.  Returns the number of rows; 0 if there is no such
 * table.
 */
extern int config_scan(const char *name, Oid orders, ConfigRowCallback row,
					   void *arg);

/* Reads the rows whose column, the first one of the index, is this OID. */
extern int config_scan_index(const char *name, const char *index, int column,
							 Oid value, ConfigRowCallback row, void *arg);

/* Reads all rows of an index, which may be partial, in its order. */
extern int config_scan_partial(const char *name, const char *index,
							   ConfigRowCallback row, void *arg);

/* The same for all rows of ordcancel_internal.detached. */
extern int config_scan_detached(ConfigRowCallback row, void *arg);

/* Selects rows of one order table by a text column. */
typedef struct ConfigSearch
{
	const char *table;
	const char *index;	  /* its first columns are (orders, column) */
	bool		bytewise; /* the column is indexed with collation "C" */
	Oid			orders;
	int			column;
	const char *text;
	bool		beyond; /* rows with a greater text, not an equal one */
	bool		first;	/* the first row only */
} ConfigSearch;

/* Reads these rows in index order.  Returns the number of rows. */
extern int config_find(const ConfigSearch *search, ConfigRowCallback row,
					   void *arg);

/*
 * Adds a row to a fingerprint, which starts as 0, and returns the new one.  Two
 * reads with equal fingerprints have read the same row versions.
 */
extern uint64 config_fingerprint(uint64 fingerprint, HeapTuple row);

/*
 * The value of a column, copied into the current memory context; NULL, false,
 * InvalidOid or 0 if it is null.  55000 if the table has no such column,
 * because the library is newer than the extension's tables.
 */
extern char		*config_text(HeapTuple row, TupleDesc desc, int column);
extern char		*config_name(HeapTuple row, TupleDesc desc, int column);
extern Interval *config_interval(HeapTuple row, TupleDesc desc, int column);
extern char	   **config_names(HeapTuple row, TupleDesc desc, int column,
							  int *count);

/* The elements of a text[] column that are not null. */
extern char **config_texts(HeapTuple row, TupleDesc desc, int column,
						   int *count);
extern bool	  config_bool(HeapTuple row, TupleDesc desc, int column);
extern Oid	  config_oid(HeapTuple row, TupleDesc desc, int column);
extern int	  config_int(HeapTuple row, TupleDesc desc, int column);

#endif /* ORDCANCEL_CONFIG_TABLE_H */
