"""Workers that read events, log them and acknowledge them, and are killed.

    workers.py                      until they are asked to stop
    workers.py drain|begin CONSUMER reads everything, or handles one event of a batch

The log of a consumer is a file, from which no crash of the server takes
anything back. Its lines, each batch written at once:

    e WORKER GENERATION OFFSET OWN EVENT_ID ORDERS TYPE ORDER_KEY   is handled
    a WORKER GENERATION EVENT_ID                                    is acknowledged, and that is committed

OFFSET is how long the log was before the worker asked, OWN is 1 if it had
made the event in the same transaction.
"""
import os
import signal
import sys

import psycopg2

import common

LOGS = os.environ["LOGS"]
# Consumer, and how its workers read; all run at the same time.
WORKERS = [
    ("everything", "transaction"),
    ("everything", "transaction"),
    ("everything", "own events"),
    ("orders", "transaction"),
    ("closed", "autocommit"),
    ("closed", "autocommit"),
    ("late", "autocommit"),
    ("late", "transaction"),
]
ISOLATION = ("READ COMMITTED",) * 6 + ("REPEATABLE READ", "SERIALIZABLE")
# No client touches these.
OWN_ORDERS = range(395, 401)


class Worker:
    def __init__(self, name, random):
        self.name = name.replace(" ", "/")
        number = int(name.split()[1])
        self.consumer, self.mode = WORKERS[number]
        self.random = random
        self.db = None
        self.acks = []          # done, but perhaps not committed
        self.unsure = None      # generation and event of an ack that may be missing
        self.log = os.open(os.path.join(LOGS, self.consumer), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def ask(self, statement, *parameters):
        cursor = self.db.cursor()
        cursor.execute(statement, parameters)
        return cursor.fetchall() if cursor.description else None

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def write(self, lines):
        text = "".join(line + "\n" for line in lines).encode()
        if os.write(self.log, text) != len(text):
            raise OSError("short write")

    @property
    def generation(self):
        return common.db_generation[id(self.db)]

    def read(self, limit=None, handled=None):
        """The IDs of the next events, which are in the log then; the rest of the batch is not handled."""
        limit = limit or self.random.choice((1, 3, 10, 50))
        offset = os.fstat(self.log).st_size
        rows = self.ask("SELECT event_id, orders, type, order_key,"
                        " coalesce(xid::text = pg_current_xact_id_if_assigned()::text"
                        " AND cluster = (SELECT system_identifier FROM pg_control_system()), false)"
                        " FROM ordcancel.next_events(%s, %s)", self.consumer, limit)
        if handled or self.chance(25):
            rows = rows[:handled or self.random.randint(1, limit)]
        if rows:
            self.write("e %s %d %d %d %d %s %s %s" %
                       (self.name, self.generation, offset, own, event_id, orders, type_, key)
                       for event_id, orders, type_, key, own in rows)
        return [row[0] for row in rows]

    def ack(self, event_id):
        self.ask("SELECT ordcancel.ack(%s, %s)", self.consumer, event_id)
        self.acks.append(event_id)

    def committed(self):
        self.write("a %s %d %d" % (self.name, self.generation, event_id) for event_id in self.acks)
        self.acks = []

    def make_event(self):
        order = self.random.choice(OWN_ORDERS)
        try:
            self.ask("SAVEPOINT own")
            self.ask("SELECT CASE WHEN status = 'placed'"
                     " THEN ordcancel.request_cancel('shop.parts', (region, id)::text)"
                     " ELSE ordcancel.withdraw_cancel('shop.parts', (region, id)::text) END"
                     " FROM shop.parts WHERE id = %s", order)
        except psycopg2.Error as error:
            if not common.is_race(error):
                raise
            self.ask("ROLLBACK TO own")

    def transaction(self):
        found = False
        self.acks = []
        self.ask("BEGIN ISOLATION LEVEL " + self.random.choice(ISOLATION))
        for _ in range(self.random.choice((1, 1, 2, 4))):
            if self.mode == "own events" and self.chance(10):
                self.make_event()
            if self.chance(15):
                self.read_in_savepoint()
            events = self.read()
            if not events:
                break
            found = True
            if self.chance(90):
                self.ack(events[-1])
        if self.chance(10):
            self.ask("ROLLBACK")
        else:
            self.ask("COMMIT")
            self.committed()
        return found

    def read_in_savepoint(self):
        """Which is rolled back: others may come between."""
        acks = list(self.acks)
        self.ask("SAVEPOINT batch")
        events = self.read()
        if events:
            self.ack(events[-1])
        self.ask("ROLLBACK TO batch")
        self.acks = acks

    def autocommit(self):
        events = self.read()
        if not events:
            return False
        for event_id in events if self.chance(20) else events[-1:]:
            self.unsure = (self.generation, event_id)
            self.ack(event_id)
            self.committed()
        self.unsure = None
        return True

    def ack_again(self):
        """A client that has lost its connection does not know; not in another cluster."""
        if self.unsure and self.unsure[0] == self.generation:
            self.ack(self.unsure[1])
            self.committed()
        self.unsure = None

    def leave(self):
        if self.db:
            self.db.close()
        self.db = None
        self.acks = []

    def connect(self):
        self.db = common.connect(self.name, **{"ordcancel.notify": "off", "deadlock_timeout": "100ms"})
        if self.db:
            self.ack_again()

    def work(self):
        if self.db is None:
            self.connect()
        found = False
        try:
            if self.db:
                found = self.autocommit() if self.mode == "autocommit" else self.transaction()
        except psycopg2.Error as error:
            if error.pgcode not in ("40001", "40P01"):
                raise
            self.ask("ROLLBACK")
        if not found:
            common.nap(0.02)

    def run(self):
        while not common.asked("stop"):
            if common.asked("pause.workers"):
                self.leave()
                common.nap(0.02)
                continue
            try:
                self.work()
            except psycopg2.Error as error:
                is_early = error.pgcode == "42704" and self.consumer == "late"
                if not is_early and not common.is_lost(error):
                    raise
                self.leave()
                if is_early:
                    common.nap(0.2)
        self.leave()


def run(name, random):
    Worker(name, random).run()


class Killer:
    """Starts the workers, and kills one after the other."""

    def __init__(self):
        self.random = common.random.Random("%s killer" % common.SEED)
        self.names = {}
        self.lives = 0
        self.killed = 0
        self.terminated = 0
        for number in range(len(WORKERS)):
            self.start(number)

    def start(self, number):
        name = "worker %d %d" % (number, self.lives)
        self.lives += 1
        self.names[common.fork(run, name)] = name

    def restart_ended(self):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            name = self.names.pop(pid)
            if os.WIFSIGNALED(status):
                self.start(int(name.split()[1]))

    def kill_one(self):
        pid = self.random.choice(sorted(self.names))
        if self.random.random() < 0.5:
            self.killed += 1
            os.kill(pid, signal.SIGKILL)
            return
        db = common.connect("killer")
        if db is None:
            return
        try:
            cursor = db.cursor()
            cursor.execute("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE application_name = %s",
                           (self.names[pid].replace(" ", "/"),))
            self.terminated += cursor.fetchone()[0]
        except psycopg2.Error:
            pass
        finally:
            db.close()

    def run(self):
        while not common.asked("stop") and self.names:
            common.nap(self.random.random() * 0.5)
            if not common.asked("pause.workers"):
                self.kill_one()
            try:
                self.restart_ended()
            except ChildProcessError:
                break
        while self.names:
            pid, _ = os.wait()
            self.names.pop(pid)
        print("%d workers were killed, %d sessions terminated" % (self.killed, self.terminated))


def read_once(what, consumer):
    """Reads everything, or acknowledges only the first event of a batch."""
    number = [name for name, _ in WORKERS].index(consumer)
    worker = Worker("worker %d %s" % (number, what), common.random)
    worker.connect()
    while True:
        events = worker.read(20, 1 if what == "begin" else 20)
        if events:
            worker.ack(events[-1])
            worker.committed()
        if what == "begin" or not events:
            return


if len(sys.argv) > 1:
    read_once(*sys.argv[1:])
else:
    Killer().run()
