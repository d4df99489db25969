/*
 * prior_values.h — what columns of an order had before also_set() wrote them
 *
 * The column prior_values of a record: {"column": {"prior": ..., "written":
 * ...}}, the values as text.  Without "prior" it was NULL; without
 * "written", forget() has erased it.
 */
#ifndef ORDCANCEL_PRIOR_VALUES_H
#define ORDCANCEL_PRIOR_VALUES_H

#include "nodes/pg_list.h"

#include "config/order_table.h"

typedef struct PriorValue
{
	char *column;
	char *prior;   /* NULL: null */
	char *written; /* NULL: null */
	bool  erased;  /* what was written is not known any more */
} PriorValue;

/* A value as text; of a date or time in ISO format, in UTC. */
extern char *prior_values_text(const Column *column, Datum value);

/* Does that text depend on no settings? */
extern bool prior_values_text_is_stable(const Column *column);

/* As a list of PriorValue; NIL for NULL. */
extern List *prior_values_read(const struct varlena *json);

extern PriorValue *prior_values_find(const List *values, const char *column);

/* NULL for NIL; else as jsonb.  Sorts the list. */
extern struct varlena *prior_values_json(List *values);

#endif /* ORDCANCEL_PRIOR_VALUES_H */
