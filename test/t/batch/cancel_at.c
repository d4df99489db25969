/*
 * cancel_at.c — a library that cancels the statement at a message that begins
 * as cancel_at.message says
 */
#include "postgres.h"

#include "fmgr.h"
#include "miscadmin.h"
#include "utils/elog.h"
#include "utils/guc.h"

PG_MODULE_MAGIC;

void _PG_init(void);

static char *message = NULL;

static void
cancel(ErrorData *error)
{
	if (message && message[0] && error->message &&
		strncmp(error->message, message, strlen(message)) == 0)
	{
		QueryCancelPending = true;
		InterruptPending = true;
	}
}

void
_PG_init(void)
{
	DefineCustomStringVariable("cancel_at.message", "What to cancel at.", NULL,
							   &message, "", PGC_USERSET, 0, NULL, NULL, NULL);
	emit_log_hook = cancel;
}
