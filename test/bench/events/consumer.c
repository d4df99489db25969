/*
 * consumer.c — a client that reads events, and nothing else that could be
 * measured instead of the server
 *
 *   consumer listen          waits in LISTEN.  Prints the number of each event
 *                            that is announced and when it saw it, in
 *                            microseconds.  Ends when it has seen as many as a
 *                            notification "end N" says
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

/* Stored, and printed at the end: a file would be measured as well. */
static void
listen(void)
{
	long long count = 0, size = 0, end = -1;
	Seen	 *seen = NULL;

	execute("LISTEN ordcancel");
	while (count != end)
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

int
main(int argc, char **argv)
{
	conn = PQconnectdb("");
	if (PQstatus(conn) != CONNECTION_OK)
		fail("connection");
	if (argc == 2 && strcmp(argv[1], "listen") == 0)
		listen();
	else
	{
		fprintf(stderr, "usage: consumer listen\n");
		return 2;
	}
	PQfinish(conn);
	return 0;
}
