/*
 * prior_values.h — what columns of an order had before also_set() wrote them
 *
 * The column prior_values of a record: {"column": {"prior": ..., "written":
 * ...}}, the values as text.
 */
#ifndef ORDCANCEL_PRIOR_VALUES_H
#define ORDCANCEL_PRIOR_VALUES_H

#include "nodes/pg_list.h"

typedef struct PriorValue
{
	char *column;
	char *prior;   /* NULL: null */
	char *written; /* NULL: null */
} PriorValue;

/* As a list of PriorValue; NIL for NULL. */
extern List *prior_values_read(const struct varlena *json);

extern PriorValue *prior_values_find(const List *values, const char *column);

/* As jsonb. */
extern struct varlena *prior_values_json(const List *values);

#endif /* ORDCANCEL_PRIOR_VALUES_H */
