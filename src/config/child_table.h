/*
 * child_table.h — the cached guards of child tables
 *
 * A child table, such as shipments or payments, has one or more guards, each
 * made by a call of attach_child().  A backend keeps a ChildTable for each that
 * it has used.  It is built again when the table or the configuration has
 * changed; a replaced one stays valid until the end of the transaction.
 */
#ifndef ORDCANCEL_CHILD_TABLE_H
#define ORDCANCEL_CHILD_TABLE_H

#include "utils/relcache.h"

#include "decision/labels.h"

/* A pinned expression over the child row, see expression.h. */
typedef struct ChildExpression
{
	char		  *text; /* NULL: there is none */
	char		  *functions;
	struct Pinned *query;
} ChildExpression;

typedef struct ChildGuard
{
	char		   *name;
	Oid				orders;
	int				nkeys;
	char		  **key_columns; /* hold the order's key, or NULL: */
	ChildExpression key;		 /* has it as its value */
	ChildExpression refuse_when; /* rows for which it is true are refused */
	char		   *refuse_when_given; /* as it was passed, for messages */
	bool  refuse[STATE_CANCELED + 1];  /* in this state of the order? */
	char *search_path;				   /* for the expressions */
	char *time_zone;
} ChildGuard;

typedef struct ChildTable
{
	MemoryContext context; /* holds all of this */
	Oid			  relid;
	int			  nguards;
	ChildGuard	 *guards; /* in the order of their names */
} ChildTable;

/* Called once, when the library is loaded. */
extern void child_table_init(void);

/*
 * The guards of a relation, or of the table of which it is a partition; NULL if
 * it has none.
 */
extern ChildTable *child_table_of(Relation rel);

#endif /* ORDCANCEL_CHILD_TABLE_H */
