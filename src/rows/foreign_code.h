/*
 * foreign_code.h — whether reading a table runs code of its owner
 */
#ifndef ORDCANCEL_FOREIGN_CODE_H
#define ORDCANCEL_FOREIGN_CODE_H

/*
 * Could a role that reads the table under its row-level security run code of a
 * role that is not a superuser, other than its own?  That is what policies call,
 * and what the planner evaluates: expressions of indexes, constraints,
 * statistics.  False only if these are built of columns, constants and
 * PostgreSQL's own immutable functions; a subquery may read views.
 */
extern bool foreign_code_runs(Oid relid, Oid role);

#endif /* ORDCANCEL_FOREIGN_CODE_H */
