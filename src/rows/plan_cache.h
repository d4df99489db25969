/*
 * plan_cache.h — runs prepared statements on an order table and its records
 *
 * A statement is prepared when it is first used, and its plan is kept in the
 * OrderTable.  When PostgreSQL has invalidated the plan, the text is built
 * again, so that it has the present names of relations and columns.
 */
#ifndef ORDCANCEL_PLAN_CACHE_H
#define ORDCANCEL_PLAN_CACHE_H

#include "lib/stringinfo.h"
#include "utils/numeric.h"

#include "base/read_snapshot.h"
#include "executor/spi.h"

#include "config/order_table.h"

#define PARAMETERS_MAX (INDEX_MAX_KEYS + 32)

/* Parameters of a statement, or the columns of a row to be written. */
typedef struct Parameters
{
	int	  count;
	Oid	  types[PARAMETERS_MAX];
	Datum values[PARAMETERS_MAX];
	char  nulls[PARAMETERS_MAX]; /* 'n' or ' ', as in SPI */
} Parameters;

/* Builds the text of a statement. */
typedef void (*StatementText)(StringInfo sql, const OrderTable *table);

/* Append a parameter; a NULL pointer is a null value. */
extern void parameter_value(Parameters *p, Oid type, Datum value, bool isnull);
extern void parameter_text(Parameters *p, const char *text);
extern void parameter_time(Parameters *p, const TimestampTz *at);
extern void parameter_numeric(Parameters *p, Numeric number);

/* Appends a parameter for each key column. */
extern void parameter_key(Parameters *p, const OrderTable *table,
						  const Datum *key);

/*
 * Runs a statement and returns the number of rows, which are in SPI_tuptable.
 * Statements on the record tables run as the owner of the extension, others
 * as the current user.  With READ_CALLER, the statement must be read-only.
 * The caller is connected to SPI, and its memory context stays current.
 */
extern uint64 plan_cache_run(OrderTable *table, StatementKind kind,
							 StatementText text, const Parameters *p,
							 ReadSnapshot snapshot);

/* The same for a statement on the order table that is not kept. */
extern uint64 plan_cache_run_once(OrderTable *table, StatementText text,
								  const Parameters *p);

/*
 * Runs a statement on tables of the extension, as its owner; *plan is prepared
 * on first use.  Returns the number of rows.
 */
extern uint64 extension_run(SPIPlanPtr *plan, const char *sql,
							const Parameters *p);

/* The same with READ_LATEST. */
extern uint64 extension_read_latest(SPIPlanPtr *plan, const char *sql,
									const Parameters *p);

/* A column of the first row of SPI_tuptable; the first column is 1. */
extern NullableDatum result_column(int column);

/* The same for a column of type text, copied; NULL if it is null. */
extern char *result_text(int column);

#endif /* ORDCANCEL_PLAN_CACHE_H */
