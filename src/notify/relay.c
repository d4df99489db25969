/*
 * relay.c — background workers that send notifications after the commit
 *
 * A transaction that has executed NOTIFY holds a cluster-wide lock while its
 * commit record is flushed to disk, so such commits run one after another.
 * With the relay, only the workers' transactions take that lock.  They are
 * short, and each sends the notifications of all transactions that have
 * committed since the one before.
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

/* The postmaster restarts a failed worker after this many seconds. */
#define RESTART_INTERVAL 5

/*
 * After a transaction that sent at least MANY notifications, a worker sleeps
 * for this many milliseconds.  Under load, the next transaction then sends
 * several again, so the worker takes less time from those who commit and uses
 * fewer transaction IDs.  A notification that comes alone does not wait.
 */
#define SLEEP_TIME 2
#define MANY 4

/*
 * A transaction sends at most this many bytes, much less than the smallest
 * size of the queue that NOTIFY uses.
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

	/* pg_upgrade drops databases, so nothing may be connected to them. */
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
			.bgw_restart_time = RESTART_INTERVAL,
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

/*
 * Sends the first notifications in one transaction.  Returns their size in
 * bytes, and sets *sent to their number.
 */
static Size
send_some(const char *bytes, Size count, int *sent)
{
	const char *at = bytes;

	*sent = 0;
	pgstat_report_activity(STATE_RUNNING, "sending notifications");
	StartTransactionCommand();
	while (at < bytes + count && at < bytes + TRANSACTION_SIZE)
	{
		const char *channel = at;
		const char *payload = channel + strlen(channel) + 1;

		Async_Notify(channel, payload);
		at = payload + strlen(payload) + 1;
		(*sent)++;
	}
	CommitTransactionCommand();
	pgstat_report_stat(false);
	pgstat_report_activity(STATE_IDLE, NULL);
	return at - bytes;
}

/* These would terminate a worker that waits for the lock of NOTIFY. */
static void
disable_timeouts(void)
{
	SetConfigOption("lock_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
#if PG_VERSION_NUM >= 170000
	SetConfigOption("transaction_timeout", "0", PGC_USERSET, PGC_S_OVERRIDE);
#endif
}

/* Runs until an error or a signal; the postmaster restarts the worker. */
void
ordcancel_relay_main(Datum queue)
{
	char *buffer = MemoryContextAlloc(TopMemoryContext, RELAY_QUEUE_SIZE);

	pqsignal(SIGHUP, SignalHandlerForConfigReload);
	pqsignal(SIGTERM, die);
	BackgroundWorkerUnblockSignals();
	BackgroundWorkerInitializeConnection(MyBgworkerEntry->bgw_extra, NULL, 0);
	/* A crash disconnects all listeners, so commits need not be durable. */
	SetConfigOption("synchronous_commit", "off", PGC_USERSET, PGC_S_OVERRIDE);
	disable_timeouts();
	relay_queue_attach(DatumGetInt32(queue));
	pgstat_report_activity(STATE_IDLE, NULL);

	for (;;)
	{
		Size count = relay_queue_read(buffer);

		if (count > 0)
		{
			int sent;

			relay_queue_consume(send_some(buffer, count, &sent));
			if (sent >= MANY)
				pg_usleep(SLEEP_TIME * 1000L);
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
