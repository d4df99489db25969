/*
 * foreign_code.h — whether expressions, or reading a table, run code of others
 */
#ifndef ORDCANCEL_FOREIGN_CODE_H
#define ORDCANCEL_FOREIGN_CODE_H

#include "nodes/nodes.h"

/*
 * Could a role that reads the table under its row-level security run code of a
 * role that is not a superuser, other than its own?  That is what policies call,
 * and what the planner evaluates: expressions of indexes, constraints,
 * statistics.  False only if these are built of columns, constants and
 * PostgreSQL's own immutable functions; a subquery may read views.
 */
extern bool foreign_code_runs(Oid relid, Oid role);

/*
 * The same of one expression: can it call anything but PostgreSQL's own immutable
 * functions, over PostgreSQL's own types and enums?
 */
extern bool foreign_code_in(Node *node);

#endif /* ORDCANCEL_FOREIGN_CODE_H */
