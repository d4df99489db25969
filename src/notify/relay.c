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

#include "config/guc.h"
#include "notify/relay.h"
#include "notify/relay_queue.h"

/* Seconds until a worker that has failed is started again. */
#define RESTART 5

/*
 * Milliseconds that a worker rests between two transactions: what is committed
 * meanwhile goes together, and under load a transaction and its id are not
 * spent on each announcement.
 */
#define REST 1

/*
 * Bytes of a transaction, in announcements; far below what NOTIFY's own queue
 * can be set to.
 */
#define TRANSACTION_SIZE (128 * 1024)

static List *
without_repeats(List *names)
{
	List	 *result = NIL;
	ListCell *lc, *seen;

	foreach(lc, names)
	{
		foreach(seen, result)
			if (strcmp(lfirst(seen), lfirst(lc)) == 0)
				break;
		if (seen == NULL)
			result = lappend(result, lfirst(lc));
	}
	return result;
}

void
relay_init(void)
{
	List	 *list = without_repeats(guc_relay_databases());
	ListCell *lc;

	/* pg_upgrade drops databases, which a worker would hold. */
	if (list == NIL || IsBinaryUpgrade)
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

/* One transaction, for what is at the head; returns its bytes. */
static Size
announce_some(const char *bytes, Size count)
{
	const char *at = bytes;

	pgstat_report_activity(STATE_RUNNING, "announcing");
	StartTransactionCommand();
	while (at < bytes + count && at < bytes + TRANSACTION_SIZE)
	{
		const char *channel = at;
		const char *payload = channel + strlen(channel) + 1;

		Async_Notify(channel, payload);
		at = payload + strlen(payload) + 1;
	}
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return at - bytes;
}

/* What would end the worker while it waits for NOTIFY's lock. */
static void
wait_as_long_as_it_takes(void)
{
	SetConfigOption("lock_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
#if PG_VERSION_NUM >= 170000
	SetConfigOption("transaction_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
#endif
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
	wait_as_long_as_it_takes();
	relay_queue_attach(DatumGetInt32(queue));
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		Size count = relay_queue_read(buffer);

		if (count > 0)
		{
			relay_queue_forget(announce_some(buffer, count));
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
