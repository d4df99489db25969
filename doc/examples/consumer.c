/*
 * Handles each cancellation event once, and the events of an order in their
 * order.  Copy it, and replace handle().  The table of this example, and the
 * consumer:
 *
 *	CREATE TABLE shop.mail_queue (event_id bigint PRIMARY KEY, order_key text, type text);
 *	SELECT ordcancel.create_consumer('mail');
 *
 *	cc -o consumer consumer.c -I$(pg_config --includedir) -L$(pg_config --libdir) -lpq
 *	PGHOST=db1,db2 PGDATABASE=shop ./consumer
 *
 * The connection uses libpq's environment variables.  Of several hosts it uses
 * the one that accepts writes, also after a failover.  If several copies run,
 * one of them works at a time, and another continues when it ends.  Ctrl-C and
 * SIGTERM end the program after the current batch, a second Ctrl-C immediately.
 */
#include <libpq-fe.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/select.h>

#define CONSUMER "mail"
#define BATCH "100"
#define POLL_MS 5000 /* finds the events whose notification was lost */
#define MAX_RETRY_MS 5000

/* The last two detect a server that is gone without closing the connection. */
#define CONNECTION                                       \
	"target_session_attrs=read-write connect_timeout=5 " \
	"keepalives_idle=10 tcp_user_timeout=15000"

static volatile sig_atomic_t stopping = false;

static void
stop(int signal_number)
{
	(void) signal_number;
	stopping = true;
}

/* Returns NULL on an error, which it reports. */
static PGresult *
query(PGconn *db, const char *statement, int count, const char *const *values)
{
	PGresult *result = PQexecParams(db, statement, count, NULL, values, NULL,
									NULL, 0);
	ExecStatusType status = PQresultStatus(result);

	if (status == PGRES_TUPLES_OK || status == PGRES_COMMAND_OK)
		return result;
	fputs(PQerrorMessage(db), stderr);
	PQclear(result);
	return NULL;
}

static bool
run(PGconn *db, const char *statement, int count, const char *const *values)
{
	PGresult *result = query(db, statement, count, values);
	bool	  done = result != NULL;

	PQclear(result);
	return done;
}

/*
 * Replace this.  What it writes into this database is committed together with
 * the acknowledgment, so it is written exactly once.
 *
 * It may also call another system.  The call is repeated if the program or the
 * server fails before the commit, so pass event_id along: the other system can
 * then ignore what it has already done.  Set a timeout, and BATCH to 1, since
 * the transaction stays open meanwhile.
 */
static bool
handle(PGconn *db, const PGresult *events, int row)
{
	const char *values[] = {PQgetvalue(events, row, 0),
							PQgetvalue(events, row, 2),
							PQgetvalue(events, row, 3)};

	return run(
		db,
		"INSERT INTO shop.mail_queue (event_id, order_key, type) VALUES ($1, $2, $3)"
		" ON CONFLICT (event_id) DO NOTHING",
		3, values);
}

/*
 * Returns how many events there were, or -1 on an error: the caller closes the
 * connection, which rolls back.
 */
static int
handle_batch(PGconn *db)
{
	const char *values[] = {CONSUMER, BATCH};
	PGresult   *events;
	int			count;
	bool		done = true;

	if (!run(db, "BEGIN", 0, NULL))
		return -1;
	events = query(
		db,
		"SELECT event_id, orders, order_key, type, state, actor, reason"
		" FROM ordcancel.next_events($1, $2)",
		2, values);
	if (events == NULL)
		return -1;
	count = PQntuples(events);
	for (int row = 0; done && row < count; row++)
	{
		values[1] = PQgetvalue(events, row, 0);
		done = handle(db, events, row);
		if (!done)
			fprintf(stderr, "event %s failed\n", values[1]);
	}
	if (done && count > 0)
		done = run(db, "SELECT ordcancel.ack($1, $2)", 2, values);
	done = done && run(db, "COMMIT", 0, NULL);
	PQclear(events);
	return done ? count : -1;
}

/* Whether a notification arrived with the last results. */
static bool
notified(PGconn *db)
{
	bool	  any = false;
	PGnotify *notification;

	while ((notification = PQnotifies(db)) != NULL)
	{
		PQfreemem(notification);
		any = true;
	}
	return any;
}

/* Until a signal arrives, the server sends something, or the time is over. */
static void
wait_for(PGconn *db, int milliseconds)
{
	struct timespec timeout = {milliseconds / 1000,
							   milliseconds % 1000 * 1000000L};
	int				fd = db == NULL ? -1 : PQsocket(db);
	fd_set			readable;
	sigset_t		signals;
	sigset_t		before;

	FD_ZERO(&readable);
	if (fd >= 0)
		FD_SET(fd, &readable);

	/* Blocked until pselect() waits, no signal can arrive just before it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &before);
	if (!stopping)
		pselect(fd + 1, &readable, NULL, NULL, &timeout, &before);
	sigprocmask(SIG_SETMASK, &before, NULL);
}

int
main(void)
{
	struct sigaction action = {.sa_handler = stop, .sa_flags = SA_RESETHAND};
	int				 retry_ms = 100;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	while (!stopping)
	{
		PGconn *db = PQconnectdb(CONNECTION);
		int		count;

		if (PQstatus(db) != CONNECTION_OK)
			fputs(PQerrorMessage(db), stderr);
		/* LISTEN comes before the first query, or an event could be missed. */
		else if (run(db, "LISTEN ordcancel", 0, NULL))
		{
			while (!stopping && (count = handle_batch(db)) >= 0)
			{
				bool again = notified(db) || count > 0;

				retry_ms = 100;
				if (!again)
					wait_for(db, POLL_MS);
			}
		}

		/*
		 * After an error the batch was not acknowledged and is delivered
		 * again.  An event that always fails can be set aside with
		 * ordcancel.skip_event().
		 */
		PQfinish(db);
		wait_for(NULL, retry_ms);
		retry_ms = retry_ms * 2 < MAX_RETRY_MS ? retry_ms * 2 : MAX_RETRY_MS;
	}
	return 0;
}
