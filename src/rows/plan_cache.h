/*
 * plan_cache.h — running the prepared statements of an order table
 *
 * Statements are prepared on first use and kept with the OrderTable.  One
 * that PostgreSQL finds stale is built again from its text, with the names
 * that the relations have now.
 */
#ifndef ORDCANCEL_PLAN_CACHE_H
#define ORDCANCEL_PLAN_CACHE_H

#include "lib/stringinfo.h"
#include "utils/numeric.h"

#include "base/read_snapshot.h"
#include "config/order_table.h"

#define PARAMETERS_MAX (INDEX_MAX_KEYS + 32)

typedef struct Parameters
{
	int	  count;
	Oid	  types[PARAMETERS_MAX];
	Datum values[PARAMETERS_MAX];
	char  nulls[PARAMETERS_MAX]; /* 'n' or ' ', as SPI wants them */
} Parameters;

/* Writes a statement's text. */
typedef void (*StatementText)(StringInfo sql, const OrderTable *table);

extern void parameter_value(Parameters *p, Oid type, Datum value, bool isnull);
extern void parameter_text(Parameters *p, const char *text);
extern void parameter_time(Parameters *p, const TimestampTz *at);
extern void parameter_numeric(Parameters *p, Numeric number);
extern void parameter_key(Parameters *p, const OrderTable *table,
						  const Datum *key);

/*
 * Runs a statement; returns the number of rows, the rows are in
 * SPI_tuptable.  The caller is connected to SPI; its memory context stays.
 */
extern uint64 plan_cache_run(OrderTable *table, StatementKind kind,
							 StatementText text, const Parameters *p,
							 ReadSnapshot snapshot);

/* A column of the first row of SPI_tuptable, counted from 1. */
extern NullableDatum result_column(int column);

/* The same as a copied string; NULL for NULL. */
extern char *result_text(int column);

#endif /* ORDCANCEL_PLAN_CACHE_H */
