"""One client. What it does in a step depends on the seed and the step's number, not on what came of earlier ones."""

import collections
import itertools
import random
import re
import threading
import time

import psycopg2
from psycopg2 import extensions

import tables
from calls import setting, statement

LEVELS = ['READ COMMITTED', 'REPEATABLE READ', 'SERIALIZABLE'] * 4 + ['READ UNCOMMITTED', 'REPEATABLE READ READ ONLY']
# Not SERIALIZABLE READ ONLY DEFERRABLE: when its wait for a snapshot fails in a
# savepoint, PostgreSQL 15 fails an assertion after ROLLBACK TO (predicate.c).

# What changes catalogs, also in the middle of something else.
DDL = re.compile(r'DROP|ALTER|CREATE|tach|TRUNCATE|GRANT|REVOKE|VACUUM|CLUSTER|REINDEX|grant_|preset|guard_partitions')

# Of a hundred steps: calls, calls with the user's code in between, plain
# writes, DDL, a new table, trigger functions elsewhere, settings, reports,
# cancels
MIXES = [(55, 22, 8, 3, 2, 2, 3, 3, 2), (30, 8, 10, 36, 7, 1, 3, 3, 2), (28, 8, 42, 6, 3, 1, 3, 4, 5)]


def connect(dsn):
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    # In a database without encoding a text may be no characters.
    extensions.register_type(extensions.BYTES, connection)
    return connection


class Session(threading.Thread):
    def __init__(self, world, number):
        super().__init__(daemon=True)
        self.world = world
        self.number = number
        self.connection = None
        self.sent = None        # the statement that is running, and since when
        self.trace = open('%s/trace-%d-%d.sql' % (world.directory, world.round, number), 'w', errors='surrogateescape')
        self.errors = collections.Counter()
        self.calls = collections.Counter()
        self.good = collections.Counter()
        self.statements = 0
        self.made = 0
        self.pids = set()
        self.lost = 0
        self.hidden = []        # XX000 in what an answer says
        self.leaks = []         # settings that were changed by a call
        self.failure = None
        self.changes = collections.deque(maxlen=20000)     # when a statement changed catalogs
        self.chaos = ''

    def run(self):
        try:
            self.open()
            for step in itertools.count():
                if self.world.over.is_set():
                    break
                if self.world.done() >= self.world.wanted:
                    break
                rng = random.Random('%s/%d/%d/%d' % (self.world.seed, self.world.round, self.number, step))
                self.trace.write('-- step %d\n' % step)
                if rng.random() < 0.1:
                    self.home()
                self.step(rng)
                if self.connection.closed:
                    self.open()
                elif self.connection.info.transaction_status != extensions.TRANSACTION_STATUS_IDLE:
                    self.send('ROLLBACK')
        except Exception as e:      # pylint: disable=broad-except
            self.failure = e
            self.world.over.set()
        finally:
            self.sent = None
            if self.connection:
                self.connection.close()
            self.trace.close()

    def open(self):
        for _ in range(300):
            try:
                self.connection = connect(self.world.dsn)
                self.trace.write('-- connected, process %d\n' % self.connection.info.backend_pid)
                self.pids.add(self.connection.info.backend_pid)
                self.home()
                return
            except psycopg2.OperationalError:
                if self.world.over.is_set():
                    return
                time.sleep(0.1)     # the server is starting again
        raise RuntimeError('no connection any more')

    def home(self):
        self.send("RESET SESSION AUTHORIZATION; RESET ALL; SET lock_timeout = 50; SET statement_timeout = %d"
                  % self.world.timeout)

    def send(self, sql):
        """True: it went well."""
        if self.connection.closed:
            return False
        self.statements += 1
        self.trace.write(sql + ';\n')
        self.trace.flush()
        self.sent = (time.monotonic(), sql)
        began = time.time()
        try:
            with self.connection.cursor() as cursor:
                cursor.execute(sql.encode('utf-8', 'surrogateescape'))
                if cursor.description:
                    for row in cursor.fetchmany(2000):
                        if any(v in (b'XX000', 'XX000') for v in row):
                            self.hidden.append((sql, row))
            return True
        except psycopg2.Error as e:
            if self.connection.closed:
                self.lost += 1
            else:
                self.errors[e.pgcode or 'client'] += 1
            return False
        except (UnicodeError, ValueError, OverflowError):
            return True             # the server was content, Python is not with the date
        finally:
            self.sent = None
            if DDL.search(sql) or DDL.search(self.chaos):
                self.changes.append((began, time.time()))
            del self.connection.notices[:], self.connection.notifies[:]

    def step(self, rng):
        kind = rng.choices(range(9), MIXES[self.number % 3])[0]
        shape = rng.choice(tables.SHAPES)
        if kind == 0:
            self.call(rng)
        elif kind == 1:
            chaos = self.world.calls.chaos(rng)
            if self.send('SET fuzz.chaos = ' + tables.quote(chaos)):
                self.chaos = chaos
                self.call(rng)
                self.send(tables.dml(rng, shape))
                self.send('ROLLBACK')
                self.chaos = ''
            self.home()
        elif kind == 2:
            self.in_transaction(rng, lambda: self.send(tables.dml(rng, shape)))
        elif kind == 3:
            self.in_transaction(rng, lambda: self.send(tables.ddl(rng, shape)))
        elif kind == 4:
            for sql in tables.create(rng, shape):
                self.send(sql)
        elif kind == 5:
            for sql in self.world.calls.as_trigger(rng):
                self.send(sql)
        elif kind == 6:
            if rng.random() < 0.6:
                self.send(setting(rng, self.world.parallel, self.world.discard))
            else:
                self.home()
        elif kind == 7:
            self.send('TABLE ' + rng.choice(self.world.reports) if rng.random() < 0.8 else 'CALL ordcancel.sweep()')
        else:
            self.rare(rng)

    def rare(self, rng):
        kind = rng.random()
        if kind < 0.55:
            self.send("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid "
                      "<> pg_backend_pid()"
                      " AND backend_type = 'client backend' AND state = 'active'")
        elif kind < 0.56 and self.number == 1:
            self.send(rng.choice(['DROP EXTENSION ordcancel CASCADE',
                                  'BEGIN; DROP EXTENSION ordcancel CASCADE; ROLLBACK']))
        else:
            for sql in ('CREATE EXTENSION IF NOT EXISTS ordcancel', "SELECT ordcancel.grant_merchant('f_merchant')",
                        'CHECKPOINT',
                        "REVOKE EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel FROM f_owner"):
                if rng.random() < 0.5:
                    self.send(sql)

    def in_transaction(self, rng, deed):
        """deed alone, or with others in a transaction block."""
        if rng.random() < 0.7:
            return deed()
        if not self.send('BEGIN ISOLATION LEVEL ' + rng.choice(LEVELS)):
            return False
        for i in range(rng.randint(0, 4)):
            self.send('SAVEPOINT s%d' % i)
            if not self.send(self.world.calls.deed(rng)):
                self.send('ROLLBACK TO s%d' % rng.randint(0, i))
            elif rng.random() < 0.2:
                self.send('RELEASE s%d' % i)
        self.send('SAVEPOINT s')
        result = deed()
        if not result or rng.random() < 0.2:
            self.send('ROLLBACK TO s')
        end = rng.random()
        if end < 0.1:
            name = 'p%d_%d' % (self.world.round, self.number)
            if self.send("PREPARE TRANSACTION '%s'" % name):
                self.send("%s PREPARED '%s'" % (rng.choice(['COMMIT', 'ROLLBACK']), name))
        else:
            self.send('COMMIT' if end < 0.8 else 'ROLLBACK')
        return result

    def call(self, rng):
        routine, call = self.world.calls.call(rng)
        self.calls[routine['name']] += 1
        self.made += 1
        if routine['prokind'] == 'p':
            good = self.in_transaction(rng,
                                       lambda: self.send('CALL ' + call)) if rng.random() < 0.3 else self.send('CALL '
                                                                                                               + call)
        elif rng.random() < 0.03:
            good = self.without_trace(rng, statement(routine, call))
        else:
            good = self.in_transaction(rng, lambda: self.around(rng, statement(routine, call), call))
        if good:
            self.good[routine['name']] += 1

    def without_trace(self, rng, sql):
        """Whose rights and which names hold after a call?"""
        if not self.send('SET ROLE ' + rng.choice(['f_merchant', 'f_owner', 'postgres'])):
            return False
        self.send(rng.choice(['SET search_path = shop, public', "SET search_path = ''"]))
        before = self.state()
        good = self.send(sql)
        after = self.state()
        if before and after and before != after:
            self.leaks.append((sql, before, after))
        self.home()
        return good

    def state(self):
        try:
            with self.connection.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), current_user::text, session_user::text, "
                               "current_setting('search_path'), current_setting('row_security'),"
                               " current_setting('TimeZone'), current_setting('DateStyle'), "
                               "current_setting('session_replication_role')")
                return cursor.fetchone()
        except psycopg2.Error:
            return None

    def around(self, rng, sql, call):
        """Ways of making a call."""
        kind = rng.randrange(30)
        if kind == 0:
            for text in ('PREPARE q AS ' + sql, 'EXECUTE q', 'EXECUTE q', self.world.calls.deed(rng), 'EXECUTE q',
                         'DEALLOCATE q'):
                good = self.send(text)
            return good
        if kind == 1:
            good = self.send('DO $do$ BEGIN EXECUTE %s; EXCEPTION WHEN OTHERS THEN RAISE NOTICE USING MESSAGE = '
                             '\'caught \' || SQLERRM, ERRCODE = SQLSTATE; END $do$' % tables.quote(sql))
            return good
        if kind == 2:
            return self.send('DO $do$ BEGIN FOR i IN 1 .. 5 LOOP BEGIN EXECUTE %s; EXECUTE %s; '
                             'EXCEPTION WHEN OTHERS THEN NULL; END; END LOOP; END $do$' % (
                tables.quote(sql), tables.quote(self.world.calls.deed(rng))))
        if kind == 3:
            return self.send('SELECT 1; %s; SELECT 2' % sql)
        if kind == 4:
            return self.send('EXPLAIN (ANALYZE, VERBOSE) ' + sql)
        if kind == 5:
            return self.send('DECLARE c CURSOR WITH HOLD FOR %s; FETCH 1 FROM c; MOVE 1 IN c; CLOSE c' % sql)
        if kind == 6:
            return self.send('SELECT (%s) FROM generate_series(1, 3)' % call)
        if kind == 7:
            return self.send('SELECT x.k0, %s FROM %s AS x' % (call, rng.choice(tables.SHAPES).name))
        if kind == 8:
            return self.send('SELECT * FROM generate_series(1, 2) AS g LEFT JOIN LATERAL %s AS f ON true LIMIT 1'
                             % call)
        if kind == 9:
            return self.send('CREATE TEMP TABLE IF NOT EXISTS made AS '
                             + sql) and self.send('DROP TABLE IF EXISTS made')
        if kind == 10:
            good = self.send('SET statement_timeout = %d' % rng.choice([1, 2, 3, 5, 8])) and self.send(sql)
            self.send('SET statement_timeout = %d' % self.world.timeout)
            return good
        if kind == 11:
            good = self.send('SET lock_timeout = 1') and self.send(sql)
            self.send('SET lock_timeout = 50')
            return good
        if kind == 12:
            good = self.send('SET ROLE ' + rng.choice(['f_owner', 'f_customer', 'f_merchant'])) and self.send(sql)
            self.send('RESET ROLE')
            return good
        if kind == 13:
            return self.send('CREATE OR REPLACE FUNCTION shop.wrapped() RETURNS void LANGUAGE sql AS %s'
                             % tables.quote(sql)) and self.send('SELECT shop.wrapped(), shop.wrapped()')
        if kind == 14:
            return self.send('SELECT CASE WHEN x.paid > 4 THEN (%s) IS NULL END FROM %s AS x FOR UPDATE'
                             % (call, rng.choice(tables.SHAPES).name))
        if kind == 15:
            return self.send('UPDATE %s SET extra = (%s)::text WHERE paid > 4' % (rng.choice(tables.SHAPES).name, call))
        if kind == 16:
            return self.send('COPY (%s) TO PROGRAM \'cat >/dev/null\'' % sql)
        if kind == 17:
            for text in ('SET ' + rng.choice(self.world.settings), sql):
                good = self.send(text)
            self.home()
            return good
        if kind == 18:
            return self.send('SELECT %s, %s' % (call, self.world.calls.call(rng)[1]))
        return self.send(sql)


class Healer(Session):
    """Makes again what the others have broken, so that there is something left to break."""

    def run(self):
        try:
            self.open()
            while not self.world.over.wait(1):
                if self.connection.closed:
                    self.open()
                self.heal()
        except Exception as e:      # pylint: disable=broad-except
            self.failure = e
        finally:
            self.sent = None
            if self.connection:
                self.connection.close()
            self.trace.close()

    def heal(self):
        rng = random.Random()
        if not self.send('SELECT FROM ordcancel.order_table LIMIT 1'):
            self.send("SET lock_timeout = 500; SET client_min_messages = warning; CREATE EXTENSION ordcancel; "
                      "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA ordcancel"
                      " TO f_owner, f_merchant; SELECT ordcancel.grant_customer('f_customer')")
            self.home()
            return
        for shape in tables.SHAPES:
            whole = self.send("SELECT 1 / count(*) FROM ordcancel.order_table WHERE orders = '%s'::regclass"
                              % shape.name)
            # One that only answers with errors may stay so for a while.
            if not whole or rng.random() < 0.05 and not self.send("SELECT * FROM ordcancel.cancel_options('%s', %s)"
                                                                  % (shape.name, shape.order_id(rng))):
                for sql in tables.create(rng, shape):
                    self.send(sql)
