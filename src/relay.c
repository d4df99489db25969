/*
 * relay.c — the workers that announce after the commit
 *
 * Commits that notify wait for each other: PostgreSQL holds a lock of the whole
 * cluster from before the commit reaches the disk until after.  With a relay
 * only its own short transactions take that lock, each for all that has been
 * committed meanwhile.
 */
#include "postgres.h"

#include "access/xact.h"
#include "commands/async.h"
#include "miscadmin.h"
#include "pgstat.h"
#include "postmaster/bgworker.h"
#include "postmaster/interrupt.h"
#include "storage/ipc.h"
#include "storage/latch.h"
#include "tcop/tcopprot.h"
#include "utils/guc.h"
#include "utils/memutils.h"
#include "utils/varlena.h"

#include "relay.h"
#include "relay_queue.h"
#include "settings.h"

/* Seconds until a worker that has failed is started again. */
#define RESTART 5

/*
 * Milliseconds that a worker rests between two transactions: what is committed
 * meanwhile goes together, and under load a transaction and its id are not
 * spent on each announcement.
 */
#define REST 1

void
relay_init(void)
{
	char	 *names = pstrdup(settings_relay_databases);
	List	 *list;
	ListCell *lc;

	if (!SplitIdentifierString(names, ',', &list))
		ereport(
			FATAL,
			(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
			 errmsg("invalid value for parameter \"%s\": \"%s\"",
					"ordcancel.relay_databases", settings_relay_databases),
			 errdetail(
				 "It is a list of names of databases, with commas between them.")));
	if (list == NIL)
		return;
	relay_queue_init(list_length(list));
	foreach(lc, list)
	{
		BackgroundWorker worker = {
			.bgw_type = "ordcancel relay",
			.bgw_flags = BGWORKER_SHMEM_ACCESS |
				BGWORKER_BACKEND_DATABASE_CONNECTION,
			.bgw_start_time = BgWorkerStart_RecoveryFinished,
			.bgw_restart_time = RESTART,
			.bgw_library_name = "ordcancel",
			.bgw_function_name = "ordcancel_relay_main",
			.bgw_main_arg = Int32GetDatum(foreach_current_index(lc)),
		};

		snprintf(worker.bgw_name, BGW_MAXLEN, "ordcancel relay for %s",
				 (char *) lfirst(lc));
		strlcpy(worker.bgw_extra, lfirst(lc), BGW_EXTRALEN);
		RegisterBackgroundWorker(&worker);
	}
}

/* One transaction for all that is waiting. */
static void
announce_all(char *bytes, Size count)
{
	char *end = bytes + count;

	pgstat_report_activity(STATE_RUNNING, "announcing");
	StartTransactionCommand();
	while (bytes < end)
	{
		const char *channel = bytes;
		const char *payload = channel + strlen(channel) + 1;

		Async_Notify(channel, payload);
		bytes = unconstify(char *, payload) + strlen(payload) + 1;
	}
	CommitTransactionCommand();
	relay_queue_forget(count);
	pgstat_report_stat(true);
	pgstat_report_activity(STATE_IDLE, NULL);
}

/* Ends by an error or a signal; the postmaster starts it again. */
void
ordcancel_relay_main(Datum queue)
{
	char *buffer = MemoryContextAlloc(TopMemoryContext, RELAY_QUEUE_SIZE);

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	/* Nobody waits for its commits, and a crash ends all listeners anyway. */
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
	relay_queue_attach(DatumGetInt32(queue));
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		Size count = relay_queue_read(buffer);

		if (count > 0)
		{
			announce_all(buffer, count);
			pg_usleep(REST * 1000L);
		}
		else
		{
			(void) WaitLatch(MyLatch, WL_LATCH_SET | WL_EXIT_ON_PM_DEATH, -1,
							 PG_WAIT_EXTENSION);
			ResetLatch(MyLatch);
		}
		CHECK_FOR_INTERRUPTS();
		if (ConfigReloadPending)
		{
			ConfigReloadPending = false;
			ProcessConfigFile(PGC_SIGHUP);
		}
	}
}
