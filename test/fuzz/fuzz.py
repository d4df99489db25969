"""Calls ordcancel with odd arguments from several sessions, see fuzz.sh."""

import argparse
import collections
import os
import random
import subprocess
import sys
import threading
import time

import psycopg2.extras

import tables
from calls import ROUTINES, SETTINGS, Calls
from server_log import ServerLog, key
from session import Healer, Session, connect

HERE = os.path.dirname(os.path.abspath(__file__))
ENCODINGS = ['UTF8', 'SQL_ASCII', 'UTF8', 'LATIN1', 'UTF8', 'EUC_JP']
HANG = 60       # seconds beyond every timeout


class World:
    """One round: a database of its own."""

    def __init__(self, args, number):
        self.round = number
        self.seed = args.seed
        self.directory = args.directory
        self.wanted = max(1, args.calls // args.rounds)
        self.sessions = []
        self.dsn = 'dbname=fuzz_%d' % number
        self.over = threading.Event()
        self.timeout = 1000
        self.encoding = ENCODINGS[number % len(ENCODINGS)]
        self.calls = self.reports = self.parallel = self.discard = self.settings = None

    def changing(self, pid, since, until):
        """Has another session than that process changed catalogs meanwhile?"""
        return any(since <= end and began <= until for s in self.sessions if pid not in s.pids
                   for began, end in list(s.changes))

    def done(self):
        return sum(s.made for s in self.sessions)

    def make(self):
        admin = connect('dbname=postgres')
        cursor = admin.cursor()
        cursor.execute('DROP DATABASE IF EXISTS fuzz_%d WITH (FORCE)' % self.round)
        cursor.execute("CREATE DATABASE fuzz_%d TEMPLATE template0 ENCODING '%s' LOCALE 'C'"
                       % (self.round, self.encoding))
        cursor.execute("SELECT current_setting('server_version_num')::int, current_setting('debug_assertions')")
        version, asserts = cursor.fetchone()
        self.parallel = ('debug_parallel_query' if version >= 160000 else 'force_parallel_mode') + ' = regress'
        self.discard = 'debug_discard_caches = 1' if asserts in (b'on', 'on') else 'debug_discard_caches = 0'
        self.settings = [s.format(parallel=self.parallel, discard=self.discard) for s in SETTINGS]
        admin.close()

        connection = psycopg2.connect(self.dsn)
        connection.autocommit = True
        connection.set_client_encoding('UTF8')
        cursor = connection.cursor(cursor_factory=psycopg2.extras.RealDictCursor)
        with open(HERE + '/schema.sql') as f:
            schema = f.read()
        if self.encoding in ('SQL_ASCII', 'EUC_JP'):
            # No ICU there, nor all letters.
            schema = schema.replace("(provider = icu, locale = 'und-u-ks-level2', deterministic = false)",
                                    'FROM "C"').replace('Größe', 'G')
        cursor.execute('CREATE EXTENSION ordcancel; ' + schema)
        cursor.execute('GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO f_owner, f_merchant;'
                       " SELECT ordcancel.grant_customer('f_customer'); SELECT ordcancel.grant_merchant('f_merchant')")
        cursor.execute(ROUTINES)
        self.calls = Calls([dict(r) for r in cursor.fetchall()])
        cursor.execute("SELECT oid::regclass::text AS name FROM pg_class WHERE relnamespace = "
                       "'ordcancel'::regnamespace AND relkind IN ('r', 'v', 'p') ORDER BY 1")
        self.reports = [r['name'] for r in cursor.fetchall()]
        for shape in tables.SHAPES:
            for sql in tables.create(random.Random('%s/%d/%s' % (self.seed, self.round, shape.name)), shape):
                try:
                    cursor.execute(sql)
                except psycopg2.Error as e:
                    if 'DROP TABLE' in sql:
                        print('%s: %s' % (shape.name, e))
        cursor.execute("SELECT count(*) AS n FROM ordcancel.order_table")
        attached = cursor.fetchone()['n']
        connection.close()
        return attached

    def unmake(self):
        admin = connect('dbname=postgres')
        admin.cursor().execute('DROP DATABASE fuzz_%d WITH (FORCE)' % self.round)
        admin.close()


class Figures:
    def __init__(self):
        self.errors = collections.Counter()
        self.calls = collections.Counter()
        self.good = collections.Counter()
        self.statements = 0
        self.troubles = {}      # what failed: (kind, key) to its first report and how often
        self.allowed = {}
        self.started = time.monotonic()

    def add(self, session):
        self.errors += session.errors
        self.calls += session.calls
        self.good += session.good
        self.statements += session.statements

    def trouble(self, kind, what, report):
        report_, n = self.troubles.get((kind, what), (report, 0))
        if n == 0:
            print('--- %s\n%s' % (kind, report), flush=True)
        self.troubles[kind, what] = (report_, n + 1)

    def show(self):
        print('\n%d statements, %d calls of %d routines in %.0f s' % (
            self.statements, sum(self.calls.values()), len(self.calls), time.monotonic() - self.started))
        print('routines, called and without error:')
        for name, n in sorted(self.calls.items()):
            print('  %-45s %7d %7d' % (name, n, self.good[name]))
        print('errors by SQLSTATE: ' + ', '.join('%s %d' % e for e in self.errors.most_common()))
        for what, (entry, n) in self.allowed.items():
            print('allowed, %d times: %s (%s, %s)\n    first by: %s'
                  % (n, entry['message'], what[0], what[1], entry.get('statement', '')[:300]))
        kinds = collections.Counter()
        for (kind, _), (_, n) in self.troubles.items():
            kinds[kind] += n
        print('%d crashes, %d XX000, %d leaks, %d hangs' % tuple(kinds[k] for k in ('crash', 'XX000', 'leak', 'hang')))
        for (kind, _), (report, n) in self.troubles.items():
            print('%s, %d times: %s' % (kind, n, report.splitlines()[0][:200]))


def describe(entry):
    parts = ['%s: %s' % (entry.get('error_severity'), entry.get('message'))]
    for name in ('detail', 'context', 'statement', 'where'):
        if entry.get(name):
            parts.append('%s: %s' % (name.upper(), entry[name][:4000]))
    parts.append('LOCATION: %s, %s:%s, process %s%s' % (entry.get('func_name'), entry.get('file_name'),
                                                        entry.get('file_line_num'), entry.get('pid'),
                                                      ', of ordcancel' if entry.get('ours') else ''))
    return '\n'.join(parts)


def read_log(log, figures, world, smith=False):
    crashes, internal, allowed, leaks = log.read(world.changing)
    for entry in crashes:
        figures.trouble('crash', (entry.get('where', '').splitlines() or [''])[0] + entry.get('detail', '')[:60],
                        describe(entry) + '\nROUND: %d, %s' % (world.round, world.encoding))
    for entry in internal:
        # sqlsmith calls core's internal functions, too, which raise what they like.
        if smith and not entry['ours'] and 'ordcancel' not in entry.get('context', ''):
            allowed.append(entry)
            continue
        figures.trouble('XX000', key(entry), describe(entry) + '\nROUND: %d, %s' % (world.round, world.encoding))
    for entry in leaks:
        figures.trouble('leak', key(entry), describe(entry) + '\nROUND: %d, %s' % (world.round, world.encoding))
    for entry in allowed:
        first, n = figures.allowed.get(key(entry), (entry, 0))
        figures.allowed[key(entry)] = (first, n + 1)


def play(world, args, figures, log):
    attached = world.make()
    print('round %d: %s, %d tables attached' % (world.round, world.encoding, attached), flush=True)
    sessions = world.sessions = [Session(world, n) for n in range(args.sessions)]
    healer = Healer(world, 9)
    for s in sessions + [healer]:
        s.start()
    hung = False
    while any(s.is_alive() for s in sessions):
        time.sleep(0.2)
        read_log(log, figures, world)       # at once: the next core would replace that of a crash
        for s in sessions:
            sent = s.sent
            if sent and time.monotonic() - sent[0] > HANG and not hung:
                hung = True
                world.over.set()
                figures.trouble('hang', sent[1][:100], 'no answer for %d s: %s' % (HANG, sent[1]))
                subprocess.run(['pg_ctl', '-s', '-m', 'immediate', 'restart', '-w', '-l',
                                world.directory + '/restart.log'], check=False)
    for s in sessions:
        figures.add(s)
        if s.failure:
            print('session %d gave up: %r' % (s.number, s.failure))
            figures.trouble('crash', 'session', 'a session gave up: %r' % s.failure)
        for sql, row in s.hidden:
            figures.trouble('XX000', ('answer', str(row)[-80:]), 'in an answer: %r\nSTATEMENT: %s' % (row, sql))
        for sql, before, after in s.leaks:
            figures.trouble('leak', ('state', str(after)),
                            'state before %r, after %r\nSTATEMENT: %s' % (before, after, sql))
    world.over.set()
    healer.join()
    sessions.append(healer)
    read_log(log, figures, world)
    world.unmake()


def smith(args, figures, log):
    """Debian's sqlsmith, with a role that may call what users may."""
    world = World(args, 999)
    world.make()
    connection = connect(world.dsn)
    cursor = connection.cursor()
    cursor.execute("""
        DROP SERVER nowhere CASCADE;
        REVOKE EXECUTE ON FUNCTION pg_terminate_backend(int, bigint), pg_cancel_backend(int),
            pg_sleep(double precision), pg_sleep_for(interval), pg_sleep_until(timestamptz) FROM PUBLIC;
        GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel TO f_smith;
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA shop TO f_smith""")
    cursor.close()
    connection.close()
    target = 'host=%s port=%s dbname=fuzz_999 user=f_smith options=--statement_timeout=500' % (os.environ['PGHOST'],
                os.environ['PGPORT'])
    with open(args.directory + '/sqlsmith.out', 'w+', errors='replace') as out:
        try:
            subprocess.run(['sqlsmith', '--target=' + target,
                            '--seed=%d' % random.Random(str(args.seed)).randrange(2 ** 31),
                            '--max-queries=%d' % args.smith, '--verbose'], stdout=out, stderr=out, timeout=120,
                           check=False)
        except subprocess.TimeoutExpired:
            out.write('\nstopped after 120 s\n')
        out.seek(0)
        lines = [line.strip() for line in out if line.strip()]
    print('sqlsmith, at most %d queries: %s' % (args.smith, ' | '.join(lines[-8:])[-600:]), flush=True)
    read_log(log, figures, world, smith=True)
    world.unmake()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--calls', type=int)
    parser.add_argument('--rounds', type=int)
    parser.add_argument('--only', type=int)
    parser.add_argument('--seed')
    parser.add_argument('--sessions', type=int)
    parser.add_argument('--smith', type=int)
    parser.add_argument('--directory')
    parser.add_argument('--sources')
    parser.add_argument('--postgres')
    args = parser.parse_args()

    log = ServerLog(args.directory, args.sources, args.postgres, os.environ['PGDATA'])
    figures = Figures()
    admin = connect('dbname=postgres')
    for role in ('f_owner', 'f_customer', 'f_merchant', 'f_smith LOGIN'):
        admin.cursor().execute('CREATE ROLE ' + role)
    admin.close()
    for number in range(args.rounds):
        if args.only is None or args.only == number:
            play(World(args, number), args, figures, log)
    if args.smith:
        smith(args, figures, log)
    figures.show()
    print('seed %s' % args.seed)
    sys.exit(1 if figures.troubles else 0)


main()
