/*
 * expression.c — SQL expressions that a user gives as text
 */
#include "postgres.h"

#include "nodes/parsenodes.h"
#include "parser/parser.h"

#include "expression.h"

bool
expression_is_one(const char *text)
{
	List	   *statements;
	SelectStmt *select;

	/* Bare as well, or "a) OR (b" would pass, and change what stands around. */
	if (list_length(
			raw_parser(psprintf("SELECT %s\n", text), RAW_PARSE_DEFAULT)) != 1)
		return false;
	statements = raw_parser(psprintf("SELECT (%s\n)", text),
							RAW_PARSE_DEFAULT);

	if (list_length(statements) != 1)
		return false;
	select = (SelectStmt *) linitial_node(RawStmt, statements)->stmt;
	return IsA(select, SelectStmt) && list_length(select->targetList) == 1 &&
		linitial_node(ResTarget, select->targetList)->name == NULL &&
		select->op == SETOP_NONE && select->valuesLists == NIL &&
		select->distinctClause == NIL && select->intoClause == NULL &&
		select->fromClause == NIL && select->whereClause == NULL &&
		select->groupClause == NIL && select->havingClause == NULL &&
		select->windowClause == NIL && select->sortClause == NIL &&
		select->limitOffset == NULL && select->limitCount == NULL &&
		select->lockingClause == NIL && select->withClause == NULL;
}
