/*
 * committed.c — a library that notes when transactions commit
 *
 * Sessions that load it note two times for each transaction: when its commit
 * began, and when it had committed, that is, when it was on disk and visible
 * to others.  PostgreSQL sends notifications after that.  Neither can be had
 * otherwise: pg_xact_commit_timestamp() is a time between the two, before the
 * commit record is written; and where 32 clients compete for two processors, a
 * client sees the reply long after a notification may have been delivered.
 *
 * At its end, each session writes what it has noted to a file in the data
 * directory, as text: transaction ID and both times, in microseconds.
 */
#include "postgres.h"

#include <time.h>

#include "access/xact.h"
#include "fmgr.h"
#include "miscadmin.h"
#include "storage/ipc.h"

PG_MODULE_MAGIC;

void _PG_init(void);

typedef struct Commit
{
	TransactionId xid;
	int64		  began;
	int64		  ended;
} Commit;

static Commit *commits = NULL;
static int	   count = 0;
static int	   size = 0;
static int64   began;

/* The clock of the consumer, which runs on the same machine. */
static int64
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64CONST(1000000) + t.tv_nsec / 1000;
}

static void
note(XactEvent event, void *arg)
{
	TransactionId xid = GetTopTransactionIdIfAny();

	if (event == XACT_EVENT_PRE_COMMIT)
		began = now();
	if (event != XACT_EVENT_COMMIT || !TransactionIdIsValid(xid))
		return;
	if (count == size)
	{
		size = 2 * size + 1024;
		commits = realloc(commits, size * sizeof(Commit));
		if (commits == NULL)
			abort();
	}
	commits[count++] = (Commit){xid, began, now()};
}

static void
store(int code, Datum arg)
{
	char  name[64];
	FILE *file;

	snprintf(name, sizeof(name), "committed.%d", MyProcPid);
	if (count == 0 || (file = fopen(name, "w")) == NULL)
		return;
	for (int i = 0; i < count; i++)
		fprintf(file, "%u\t" INT64_FORMAT "\t" INT64_FORMAT "\n",
				commits[i].xid, commits[i].began, commits[i].ended);
	fclose(file);
}

void
_PG_init(void)
{
	RegisterXactCallback(note, NULL);
	before_shmem_exit(store, 0);
}
