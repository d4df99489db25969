/*
 * late.c — a library that runs SQL while the transaction commits
 *
 * It is loaded before ordcancel, so its callback is called after ordcancel's.
 */
#include "postgres.h"

#include "access/xact.h"
#include "executor/spi.h"
#include "fmgr.h"
#include "utils/guc.h"
#include "utils/snapmgr.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static char *statement = NULL;

static void
run(XactEvent event, void *arg)
{
	static bool running = false;

	if (event != XACT_EVENT_PRE_COMMIT || running || !statement ||
		!statement[0])
		return;
	running = true;
	PushActiveSnapshot(GetTransactionSnapshot());
	SPI_connect();
	SPI_execute(statement, false, 0);
	SPI_finish();
	PopActiveSnapshot();
	running = false;
}

void
_PG_init(void)
{
	DefineCustomStringVariable("late.statement", "What to run.", NULL,
							   &statement, "", PGC_USERSET, 0, NULL, NULL,
							   NULL);
	RegisterXactCallback(run, NULL);
}
