/*
 * consumer.c — a client that reads events
 *
 * In C, so that the server is measured and not the client.  The connection is
 * that of libpq's environment variables.
 *
 *   listen CHANNELS      waits in LISTEN: on channel ordcancel, or on orders_1
 *                        to orders_CHANNELS if that is not 0.  Prints the ID of
 *                        each event and the time at which its notification was
 *                        read, in microseconds.  Ends after N events when it is
 *                        sent "end N" on channel ordcancel
 *   drain NAME EVENTS    reads all events of a consumer, so many at a time, and
 *                        acknowledges each batch; prints rows per second
 *   copy QUERY           the same for COPY (QUERY) TO STDOUT
 *   time N BEFORE STATEMENT AFTER
 *                        executes the three so many times, and prints the
 *                        time of STATEMENT in microseconds, planning included,
 *                        that a tenth of them do not exceed: others may use
 *                        the machine.  BEFORE and AFTER may be empty
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <libpq-fe.h>

typedef struct Seen
{
	long long event_id;
	long long at;
} Seen;

static PGconn *conn;

static void
fail(const char *what)
{
	fprintf(stderr, "consumer: %s: %s", what, PQerrorMessage(conn));
	exit(1);
}

static long long
now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

static void
execute(const char *statement)
{
	PGresult *result = PQexec(conn, statement);

	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail(statement);
	PQclear(result);
}

static PGresult *
query(const char *statement, int nparams, const char *const *params)
{
	PGresult *result = PQexecParams(conn, statement, nparams, NULL, params,
									NULL, NULL, 0);

	if (PQresultStatus(result) != PGRES_TUPLES_OK &&
		PQresultStatus(result) != PGRES_COMMAND_OK)
		fail(statement);
	return result;
}

/* Notifications are kept in memory and printed at the end. */
static void
listen_on(int channels)
{
	long long count = 0, size = 0, end = -1;
	Seen	 *seen = NULL;
	char	  statement[64];

	for (int i = 1; i <= channels; i++)
	{
		snprintf(statement, sizeof(statement), "LISTEN orders_%d", i);
		execute(statement);
	}
	execute("LISTEN ordcancel");
	while (end < 0 || count < end)
	{
		struct pollfd p = {.fd = PQsocket(conn), .events = POLLIN};
		PGnotify	 *n;

		if (poll(&p, 1, -1) < 0 && errno != EINTR)
			fail("poll");
		if (!PQconsumeInput(conn))
			fail("connection");
		for (; (n = PQnotifies(conn)); PQfreemem(n))
		{
			if (count == size)
				seen = realloc(seen, (size = 2 * size + 1024) * sizeof(Seen));
			if (sscanf(n->extra, "{\"event_id\":%lld",
					   &seen[count].event_id) == 1)
				seen[count++].at = now();
			else
				sscanf(n->extra, "end %lld", &end);
		}
	}
	for (long long i = 0; i < count; i++)
		printf("%lld\t%lld\n", seen[i].event_id, seen[i].at);
}

static void
print_rate(long long rows, long long began)
{
	printf("%.1f\n", rows * 1e6 / (now() - began));
}

static void
drain(const char *name, const char *events)
{
	const char *next[] = {name, events};
	long long	rows = 0, began = now();

	for (;;)
	{
		PGresult *batch = query("SELECT * FROM ordcancel.next_events($1, $2)",
								2, next);
		int		  n = PQntuples(batch);
		const char *ack[] = {name, n > 0 ? PQgetvalue(batch, n - 1, 0) : NULL};

		if (n > 0)
			PQclear(query("SELECT ordcancel.ack($1, $2)", 2, ack));
		PQclear(batch);
		rows += n;
		if (n == 0)
			break;
	}
	print_rate(rows, began);
}

static void
copy(const char *source)
{
	long long rows = 0, began = now();
	char	 *statement = malloc(strlen(source) + 32), *line;
	PGresult *result;

	sprintf(statement, "COPY (%s) TO STDOUT", source);
	result = PQexec(conn, statement);
	if (PQresultStatus(result) != PGRES_COPY_OUT)
		fail(statement);
	PQclear(result);
	for (; PQgetCopyData(conn, &line, 0) > 0; rows++)
		PQfreemem(line);
	result = PQgetResult(conn);
	if (PQresultStatus(result) != PGRES_COMMAND_OK)
		fail(statement);
	print_rate(rows, began);
}

static int
compare_times(const void *a, const void *b)
{
	long long left = *(const long long *) a, right = *(const long long *) b;

	return left < right ? -1 : left > right;
}

static void
time_statement(int n, const char *before, const char *statement,
			   const char *after)
{
	long long *times = malloc(n * sizeof(long long));

	for (int i = 0; i < n; i++)
	{
		if (before[0])
			PQclear(query(before, 0, NULL));
		times[i] = -now();
		PQclear(query(statement, 0, NULL));
		times[i] += now();
		if (after[0])
			PQclear(query(after, 0, NULL));
	}
	qsort(times, n, sizeof(long long), compare_times);
	printf("%lld\n", times[n / 10]);
}

int
main(int argc, char **argv)
{
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		fail("connection");
	if (argc == 3 && strcmp(argv[1], "listen") == 0)
		listen_on(atoi(argv[2]));
	else if (argc == 4 && strcmp(argv[1], "drain") == 0)
		drain(argv[2], argv[3]);
	else if (argc == 3 && strcmp(argv[1], "copy") == 0)
		copy(argv[2]);
	else if (argc == 6 && strcmp(argv[1], "time") == 0)
		time_statement(atoi(argv[2]), argv[3], argv[4], argv[5]);
	else
		return 2;
	PQfinish(conn);
	return 0;
}
