/*
 * simulate.c — simulate: what another policy would have decided
 *
 * Makes the decision of each attempt on record again, under another policy, and
 * counts the answers.
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/result_row.h"
#include "config/policy_cache.h"
#include "config/run_as.h"
#include "config/status_equality.h"
#include "decision/refusal.h"
#include "entry/args.h"
#include "entry/report_reader.h"
#include "rows/attempts.h"

PG_FUNCTION_INFO_V1(ordcancel_simulate);

/* The columns of the result. */
enum
{
	SIMULATED_WAS,
	SIMULATED_WOULD_BE,
	SIMULATED_ATTEMPTS,
	SIMULATED_EXAMPLES,
};

static const ResultColumn simulated_columns[] = {
	[SIMULATED_WAS] = {"was", TEXTOID},
	[SIMULATED_WOULD_BE] = {"would_be", TEXTOID},
	[SIMULATED_ATTEMPTS] = {"attempts", INT8OID},
	[SIMULATED_EXAMPLES] = {"examples", TEXTARRAYOID},
};

#define EXAMPLES 5

typedef struct Example
{
	TimestampTz at;
	int64		id;
	char	   *order;
} Example;

/* The attempts that had one answer, and would have another. */
typedef struct Answer
{
	State		was;
	const char *would_be; /* the name of a state or of a condition */
	int64		attempts;
	int			nexamples;
	Example		examples[EXAMPLES]; /* newest first */
} Answer;

/* Returns the state that it leads to, or the condition that refuses it. */
static const char *
decide_attempt(OrderTable *table, const Policy *policy, const Attempt *a)
{
	/* What was accepted as reason and note then is not judged again. */
	static const Reason given = {.audience = AUDIENCE_ANY,
								 .active = true,
								 .note_max = NOTE_MAX_LENGTH};
	DecisionInput		input = {.party = a->party,
								 .now = a->at,
								 .policy = policy,
								 .placed_at = a->placed_at,
								 .money_due = a->money_due,
								 .plain_updates = true,
								 .reason_given = a->reason_given,
								 .reason = &given,
								 .note_length = 1};
	Decision			decision;

	input.verb = a->override	   ? VERB_OVERRIDE_CANCEL :
		a->party == PARTY_CUSTOMER ? VERB_REQUEST_CANCEL :
									 VERB_CANCEL_ORDER;
	input.status = status_equality_spelling(table, policy, a->status);
	input.kind = policy_cache_status_kind(table, policy, input.status);
	decision = decide(&input);
	return decision.condition != CONDITION_NONE ?
		condition_name(decision.condition) :
		state_name(decision.state);
}

static bool
is_newer(const Attempt *a, const Example *b)
{
	return a->at != b->at ? a->at > b->at : a->id > b->id;
}

static void
add_example(Answer *answer, const Attempt *a, MemoryContext context)
{
	int at = answer->nexamples;

	while (at > 0 && is_newer(a, &answer->examples[at - 1]))
		at--;
	if (at == EXAMPLES)
		return;
	if (answer->nexamples == EXAMPLES)
		pfree(answer->examples[--answer->nexamples].order);
	memmove(&answer->examples[at + 1], &answer->examples[at],
			(answer->nexamples - at) * sizeof(Example));
	answer->examples[at] = (Example){a->at, a->id,
									 MemoryContextStrdup(context, a->order)};
	answer->nexamples++;
}

/* The names are constants, so equal ones are the same pointer. */
static Answer *
find_answer(List **answers, State was, const char *would_be,
			MemoryContext context)
{
	MemoryContext caller;
	Answer		 *answer;
	ListCell	 *lc;

	foreach(lc, *answers)
	{
		answer = lfirst(lc);
		if (answer->was == was && answer->would_be == would_be)
			return answer;
	}
	caller = MemoryContextSwitchTo(context);
	answer = palloc0(sizeof(Answer));
	answer->was = was;
	answer->would_be = would_be;
	*answers = lappend(*answers, answer);
	MemoryContextSwitchTo(caller);
	return answer;
}

/* Removes those of orders that row-level security hides. */
static void
hide_invisible(AttemptReader *reader, const ReportReader *report)
{
	int visible = 0;

	if (report->access == ORDERS_ALL)
		return;
	for (int i = 0; i < reader->count; i++)
	{
		const Attempt *a = &reader->attempts[i];

		if (report_reader_sees(report, CStringGetTextDatum(a->order)))
			reader->attempts[visible++] = *a;
	}
	reader->count = visible;
}

static List *
simulate(OrderTable *table, const Policy *policy, NullableDatum since)
{
	MemoryContext caller = CurrentMemoryContext;
	MemoryContext rows = AllocSetContextCreate(caller, "ordcancel attempts",
											   ALLOCSET_DEFAULT_SIZES);
	ReportReader  report = report_reader(table->relid);
	AttemptReader reader;
	RunAsScope	  scope;
	List		 *answers = NIL;

	SPI_connect();
	MemoryContextSwitchTo(rows);
	attempts_begin(&reader, table, policy->grace != NULL, since);
	while (attempts_next(&reader))
	{
		hide_invisible(&reader, &report);
		/* Comparing statuses may run code of their type. */
		run_as_owner_restricted(&scope, table);
		for (int i = 0; i < reader.count; i++)
		{
			const Attempt *a = &reader.attempts[i];
			Answer		  *answer = find_answer(&answers, a->was,
												decide_attempt(table, policy, a),
												caller);

			answer->attempts++;
			add_example(answer, a, caller);
		}
		run_as_end(&scope);
		MemoryContextReset(rows);
	}
	attempts_end(&reader);
	SPI_finish();
	MemoryContextSwitchTo(caller);
	MemoryContextDelete(rows);
	return answers;
}

static void
put_answer(ResultRow *row, const Answer *answer)
{
	Datum examples[EXAMPLES];

	for (int i = 0; i < answer->nexamples; i++)
		examples[i] = CStringGetTextDatum(answer->examples[i].order);
	result_row_text(row, SIMULATED_WAS, state_name(answer->was));
	result_row_text(row, SIMULATED_WOULD_BE, answer->would_be);
	result_row_set(row, SIMULATED_ATTEMPTS, Int64GetDatum(answer->attempts),
				   false);
	result_row_set(row, SIMULATED_EXAMPLES,
				   PointerGetDatum(construct_array(examples, answer->nexamples,
												   TEXTOID, -1, false,
												   TYPALIGN_INT)),
				   false);
}

/*
 * (orders, policy, since): the rows of simulate().  The caller has checked that
 * the policy exists; by another name it would be "default".
 */
Datum
ordcancel_simulate(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	OrderTable	  *table;
	ResultRow	   row;
	List		  *answers;
	ListCell	  *lc;

	InitMaterializedSRF(fcinfo, 0);
	table = args_table(PG_ARGISNULL(0), PG_GETARG_OID(0), AccessShareLock);
	answers = simulate(table, policy_cache_get(table, args_text(fcinfo, 1)),
					   fcinfo->args[2]);
	result_row_begin(&row, result->setDesc, simulated_columns,
					 lengthof(simulated_columns));
	foreach(lc, answers)
	{
		put_answer(&row, lfirst(lc));
		tuplestore_putvalues(result->setResult, row.desc, row.values,
							 row.nulls);
	}
	return (Datum) 0;
}
