/*
 * health_part.c — runs one part of health(), which may fail
 */
#include "postgres.h"

#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "funcapi.h"
#include "utils/builtins.h"
#include "utils/tuplestore.h"

#include "base/compat.h"
#include "base/subxact.h"

PG_FUNCTION_INFO_V1(ordcancel_health_part);

typedef struct Part
{
	const char	  *name;
	Datum		   orders;
	ReturnSetInfo *result;
} Part;

static void
run_part(void *arg)
{
	const Part *part = arg;
	Oid			type = REGCLASSOID;
	Datum		orders = part->orders;
	char	   *sql = psprintf(
			  "SELECT h.orders, h.problem, h.detail, h.hint"
					" FROM ordcancel.order_table AS t, LATERAL ordcancel_internal.%s(t) AS h"
					" WHERE t.orders OPERATOR(pg_catalog.=) $1",
			  quote_identifier(psprintf("health_of_%s", part->name)));
	int	  columns = part->result->setDesc->natts;
	Datum values[4];
	bool  nulls[4];

	if (SPI_execute_with_args(sql, 1, &type, &orders, NULL, false, 0) !=
			SPI_OK_SELECT ||
		columns != lengthof(values))
		elog(ERROR, "could not check %s", part->name);
	for (uint64 i = 0; i < SPI_processed; i++)
	{
		for (int n = 0; n < columns; n++)
			values[n] = SPI_getbinval(SPI_tuptable->vals[i],
									  SPI_tuptable->tupdesc, n + 1, &nulls[n]);
		tuplestore_putvalues(part->result->setResult, part->result->setDesc,
							 values, nulls);
	}
}

/*
 * The problems that a part finds.  If it fails, a row of which only the detail
 * is not null: the error.  PL/pgSQL cannot do that for the errors that it never
 * catches, which the owner of a table can raise, without also catching those by
 * which the reader cancels the query.
 */
Datum
ordcancel_health_part(PG_FUNCTION_ARGS)
{
	ReturnSetInfo *result = (ReturnSetInfo *) fcinfo->resultinfo;
	Part		   part = {.name = text_to_cstring(PG_GETARG_TEXT_PP(1)),
						   .orders = PG_GETARG_DATUM(0),
						   .result = result};
	ErrorData	  *error;

	InitMaterializedSRF(fcinfo, 0);
	error = subxact_try(run_part, &part);
	if (error)
	{
		Datum values[4] = {0};
		bool  nulls[4] = {true, true, false, true};

		values[2] = CStringGetTextDatum(error->message);
		tuplestore_putvalues(result->setResult, result->setDesc, values,
							 nulls);
	}
	return (Datum) 0;
}
