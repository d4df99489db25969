/*
 * call_statement.c — calls the function that a row of a table of calls names
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "utils/builtins.h"
#include "utils/datum.h"
#include "utils/fmgroids.h"
#include "utils/lsyscache.h"

#include "entry/call_row.h"
#include "entry/call_statement.h"

/* A key of the type of an array can only be given as text. */
static bool
key_as_text(const CallRow *c)
{
	return c->table->nkeys == 1 &&
		OidIsValid(get_base_element_type(call_key_type(c, 0)));
}

static void
append_key(StringInfo sql, const CallRow *c)
{
	if (c->table->nkeys == 1)
	{
		appendStringInfoString(sql, "$2");
		return;
	}
	appendStringInfoString(sql, "ROW(");
	for (int i = 0; i < c->table->nkeys; i++)
		appendStringInfo(sql, "%s$%d", i > 0 ? ", " : "", i + 2);
	appendStringInfoChar(sql, ')');
}

/*
 * Every name is qualified, and there are no operators: no search_path changes
 * the meaning.
 */
static char *
statement(const CallRow *c)
{
	StringInfoData sql;
	int			   n = c->table->nkeys + 1;
	bool		   is_set = call_verb_is_set(c->verb);

	initStringInfo(&sql);
	if (is_set)
		appendStringInfo(
			&sql,
			"SELECT pg_catalog.jsonb_agg(pg_catalog.to_jsonb(r)) AS results"
			" FROM ordcancel.%s($1",
			call_verb_name(c->verb));
	else
	{
		appendStringInfo(&sql, "SELECT r.* FROM ordcancel.%s($1, ",
						 call_verb_name(c->verb));
		append_key(&sql, c);
	}
	for (int i = 0; i < CALL_ARGUMENTS; i++)
	{
		bool is_flag = i == CALL_SETTLED || i == CALL_SESSION_ROLES;

		n++;
		if (!call_verb_takes(c->verb, i) || (i == CALL_ON_ERROR && !is_set))
			continue;
		appendStringInfo(&sql,
						 is_flag ? ", %s => COALESCE($%d, false)" :
								   ", %s => $%d",
						 call_arguments[i].name, n);
	}
	appendStringInfoString(&sql, ") AS r");
	return sql.data;
}

#define PARAMETERS (1 + INDEX_MAX_KEYS + CALL_ARGUMENTS)

typedef struct CallParameters
{
	int	  count;
	Oid	  types[PARAMETERS];
	Datum values[PARAMETERS];
	char  nulls[PARAMETERS];
} CallParameters;

static void
add(CallParameters *p, Oid type, Datum value, bool isnull)
{
	p->types[p->count] = type;
	p->values[p->count] = value;
	p->nulls[p->count++] = isnull ? 'n' : ' ';
}

static void
collect(const CallRow *c, CallParameters *p)
{
	p->count = 0;
	add(p, REGCLASSOID, ObjectIdGetDatum(c->table->orders), false);
	for (int i = 0; i < c->table->nkeys; i++)
	{
		Datum value = c->values[c->keys[i] - 1];
		bool  isnull = c->nulls[c->keys[i] - 1];

		if (key_as_text(c))
			add(p, TEXTOID,
				isnull ? (Datum) 0 :
						 CStringGetTextDatum(
							 OidOutputFunctionCall(F_ARRAY_OUT, value)),
				isnull);
		else
			add(p, call_key_type(c, i), value, isnull);
	}
	for (int i = 0; i < CALL_ARGUMENTS; i++)
	{
		int attnum = call_column(c, call_arguments[i].name,
								 call_arguments[i].type);

		add(p, call_arguments[i].type,
			attnum ? c->values[attnum - 1] : (Datum) 0,
			attnum == 0 || c->nulls[attnum - 1]);
	}
}

static void
take_answer(CallRow *c, const char *name, Oid type)
{
	TupleDesc	  desc = SPI_tuptable->tupdesc;
	MemoryContext caller;
	int			  from = SPI_fnumber(desc, name);
	bool		  isnull;
	Datum		  value;

	if (from <= 0 || TupleDescAttr(desc, from - 1)->atttypid != type)
		return;
	value = SPI_getbinval(SPI_tuptable->vals[0], desc, from, &isnull);
	caller = MemoryContextSwitchTo(c->context);
	if (!isnull)
		value = datumCopy(value, TupleDescAttr(desc, from - 1)->attbyval,
						  TupleDescAttr(desc, from - 1)->attlen);
	MemoryContextSwitchTo(caller);
	call_set(c, call_column(c, name, type), value, isnull);
}

/* Connected to SPI. */
void
call_run(void *arg)
{
	CallRow		  *c = arg;
	CallParameters p;
	SPIPlanPtr	  *plan = &c->table->plans[c->verb];

	collect(c, &p);
	if (*plan == NULL)
	{
		SPIPlanPtr made = SPI_prepare(statement(c), p.count, p.types);

		if (made == NULL)
			elog(ERROR, "SPI_prepare failed: %s",
				 SPI_result_code_string(SPI_result));
		SPI_keepplan(made);
		*plan = made;
	}
	if (SPI_execute_plan(*plan, p.values, p.nulls, false, 0) !=
			SPI_OK_SELECT ||
		SPI_processed != 1)
		elog(ERROR, "a call has no answer");
	for (int i = 0; i < ANSWER_COUNT; i++)
		take_answer(c, call_answers[i].name, call_answers[i].type);
	if (!call_verb_is_set(c->verb))
	{
		take_answer(c, "cancellation_id", INT8OID);
		take_answer(c, "refund_due", NUMERICOID);
	}
}

/* Takes the line about the statement out of the CONTEXT. */
static void
drop_context(ErrorData *error, const char *sql)
{
	char *line = psprintf("SQL statement \"%s\"", sql);
	char *at = error->context ? strstr(error->context, line) : NULL;
	char *rest;

	if (at == NULL)
		return;
	rest = at + strlen(line);
	if (*rest == '\n')
		rest++;
	else if (at > error->context)
		at--;
	memmove(at, rest, strlen(rest) + 1);
	if (error->context[0] == '\0')
		error->context = NULL;
}

void
call_run_raising(CallRow *c)
{
	PG_TRY();
	{
		SPI_connect();
		MemoryContextSwitchTo(c->context);
		call_run(c);
		SPI_finish();
		MemoryContextSwitchTo(c->context);
	}
	PG_CATCH();
	{
		ErrorData *error;

		MemoryContextSwitchTo(c->context);
		error = CopyErrorData();
		FlushErrorState();
		drop_context(error, statement(c));
		ReThrowError(error);
	}
	PG_END_TRY();
}
