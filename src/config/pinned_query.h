/*
 * pinned_query.h — runs queries made of pinned expressions
 *
 * The text of a block, refund_due or deleted_when is pinned when it is set: all
 * names and casts are written out (expression.h).  The query made of it is
 * parsed with pg_catalog as search_path, where other users cannot create operators or
 * functions.  It is planned and run with the current search_path, which the
 * functions of the table's owner may depend on.  A plan is kept if it cannot
 * become invalid while the parsed query is valid.
 *
 * plancache.c would parse the text again when search_path differs.  So it is
 * used only to track what the query depends on (CachedPlanIsValid()).
 */
#ifndef ORDCANCEL_PINNED_QUERY_H
#define ORDCANCEL_PINNED_QUERY_H

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"
#include "nodes/parsenodes.h"

#include "base/read_snapshot.h"

/* The cached result of parsing and planning. */
typedef struct Pinned Pinned;

/*
 * Returns a value for the parameter, allocated in the current memory context,
 * which is reset after the run.  "columns" are the attribute numbers that the
 * query reads of PINNED_ROW; 0 stands for all of them.  Sets *more to false if
 * this is the last value.
 */
typedef Datum (*PinnedValue)(const Bitmapset *columns, bool *more, void *arg);

/* Receives a row of the result, in the memory context of the caller. */
typedef void (*PinnedRow)(TupleTableSlot *row, void *arg);

/*
 * Runs a SELECT whose only parameter, of type "type", is an array of rows, once
 * for each value that "value" returns, as the current user.  The query may
 * call no functions outside pg_catalog except those in "functions" (see
 * expression_functions_text()).  *pinned is the cache, NULL at first.  OC014
 * with the message "complaint" if the text can no longer be parsed.
 */
extern void pinned_run(Pinned **pinned, const char *sql, const char *functions,
					   Oid type, PinnedValue value, ReadSnapshot snapshot,
					   const char *complaint, PinnedRow row, void *arg);

/*
 * The columns that the query reads of the rows, as above; NULL if it reads none
 * or has to be parsed first.
 */
extern const Bitmapset *pinned_columns(Pinned *pinned);
/* The arguments of pinned_run() that say what to run. */
typedef struct PinnedQuery
{
	const char *sql;
	const char *functions;
	Oid			type;
	const char *complaint;

	/* Changes the query after it was parsed; NULL: it is not changed. */
	void (*prepare)(Query *query, void *arg);
} PinnedQuery;

/* The same; "arg" is passed to "prepare" as well. */
extern void pinned_run_query(Pinned **pinned, const PinnedQuery *q,
							 PinnedValue value, ReadSnapshot snapshot,
							 PinnedRow row, void *arg);

/*
 * The results of the query as expressions, see pinned_values_of(); NIL if it
 * has to be run.  They are valid until the end of the transaction.
 */
extern List *pinned_values(Pinned **pinned, const PinnedQuery *q,
						   bool *immutable, void *arg);

/* Frees the cache, at the end of the transaction, as it may be in use. */
extern void pinned_forget(Pinned **pinned);

#endif /* ORDCANCEL_PINNED_QUERY_H */
