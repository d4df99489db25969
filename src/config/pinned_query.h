/*
 * pinned_query.h — queries whose names cannot come to mean something else
 *
 * The text of a block or of refund_due is read once, when it is set, with the
 * search_path of that moment, and written down again with every name and cast
 * spelled out (expression.h).  That text is read under a search_path of
 * pg_catalog alone, where nobody else can put an operator or a function.  It
 * is planned and run under the path that the owner's functions expect.  A plan
 * is kept where nothing can make it stale that does not make the text so.
 *
 * plancache.c would read a text again under the path that it is run with, so
 * only its watch over what the query depends on is used.
 */
#ifndef ORDCANCEL_PINNED_QUERY_H
#define ORDCANCEL_PINNED_QUERY_H

#include "executor/tuptable.h"
#include "nodes/bitmapset.h"

#include "base/read_snapshot.h"

/* What is kept of a text that was read. */
typedef struct Pinned Pinned;

/*
 * Gives the parameter, in the current memory context, which goes with it.  The
 * columns are those that the query reads of the rows in it, by number; 0 is
 * all of them.  *more: there is more to run the query with.
 */
typedef Datum (*PinnedValue)(const Bitmapset *columns, bool *more, void *arg);

/* Takes a row of the result, in the memory context of pinned_run's caller. */
typedef void (*PinnedRow)(TupleTableSlot *row, void *arg);

/*
 * Runs a SELECT from one parameter, an array of rows, as the current user; as
 * often as there are values for it.  It calls no functions of users but those
 * in the text "functions", see expression.h.  *pinned is NULL at first, and
 * keeps what was read of the text.  OC014, with "complaint", where the text
 * cannot be read any more.
 */
extern void pinned_run(Pinned **pinned, const char *sql, const char *functions,
					   Oid type, PinnedValue value, ReadSnapshot snapshot,
					   const char *complaint, PinnedRow row, void *arg);

/* Lets go of what is kept; it may be in use until the transaction ends. */
extern void pinned_forget(Pinned **pinned);

#endif /* ORDCANCEL_PINNED_QUERY_H */
