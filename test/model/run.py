#!/usr/bin/python3
"""Eight clients against the extension, and the model beside them. See README.md.

    run.py OPERATIONS SEED SERVER_LOG
"""
import collections
import multiprocessing
import os
import random
import re
import signal
import sys
import time

import psycopg2

import model
import shop
import worker
from invariants import Invariants

CLIENTS = 8
STRETCH = 160           # operations of a client in a round
EPOCH = 20              # rounds with one set of rules, in a fresh database


class Run:
    def __init__(self, operations, seed, log):
        self.operations = operations
        self.seed = seed
        self.rng = random.Random(seed)
        self.log = open(log, errors="replace")      # read on from where it was
        self.figures = collections.Counter()
        self.sqlstates = collections.Counter()
        self.verbs = collections.Counter()
        self.wrong = []
        self.pipes = []
        self.shot = set()       # backends killed by SIGKILL
        # Restarts take a second or two, and there is always one.
        self.restarts = sorted(self.rng.sample(range(operations // 10, operations), 2 + operations // 100000))

    def connect(self, database):
        os.environ["PGDATABASE"] = database
        return worker.connect()

    def sql(self, *statements, database="postgres"):
        db = self.connect(database)
        try:
            cursor = db.cursor()
            for s in statements:
                cursor.execute(s)
        finally:
            db.close()

    def start(self):
        for _ in range(CLIENTS):
            here, there = multiprocessing.Pipe()
            process = multiprocessing.Process(target=worker.serve, args=(there,), daemon=True)
            process.start()
            self.pipes.append(here)

    def prepare(self):
        """A template, and what the extension at hand is like."""
        self.sql(shop.HELPERS, "CREATE DATABASE shop_template", "CREATE DATABASE shop_probe")
        self.sql(shop.SCHEMA, database="shop_template")
        db = self.connect("shop_probe")
        db.autocommit = False
        cursor = db.cursor()
        cursor.execute(shop.SCHEMA)
        self.probed = shop.probe(cursor)
        db.close()
        print("behaviour:", ", ".join("%s %s" % (k, "yes" if v else "no") for k, v in self.probed.items()), flush=True)

    # ------------------------------------------------------------------ epochs

    def epoch(self, number):
        """Other rules, and orders without a history."""
        name = "shop_%d" % number
        before = getattr(self, "name", None)
        self.rules = shop.random_rules(self.rng, self.probed)
        watched = self.rng.random() < 0.8
        for pipe in self.pipes:
            pipe.send(name)
        self.sql("CREATE DATABASE %s TEMPLATE shop_template" % name,
                 *["DROP DATABASE %s WITH (FORCE)" % before] * bool(before))
        os.environ["PGDATABASE"] = name
        self.now = shop.START
        self.listener = None
        self.listen()
        cursor = self.db().cursor()
        if watched:
            cursor.execute(shop.WATCH)
        for call in shop.set_rules(self.rules):
            cursor.execute(call)
        for id in range(1, shop.ORDERS + 1):
            values = [self.rng.choice(shop.ORDINARY), self.rng.choice(shop.SELLERS + (None, "delta")),
                      shop.instant(self.now - self.rng.choice((60, 1800, 86400))),
                      self.rng.choice((None, 0, 10, 40, 25.5))]
            cursor.execute("INSERT INTO shop.orders (id, status, seller, placed_at, paid) VALUES (%s, %s, %s, %s, %s)",
                           [id] + values)
        self.invariants = Invariants(self.rules, watched)
        self.name = name

    def db(self):
        """The connection of this process, which nobody kills."""
        if self.listener is None or self.listener.closed:
            self.listen()
        return self.listener

    def listen(self):
        self.deaf = True        # what came meanwhile was not heard
        self.listener = worker.connect()
        # Not what the killer looks for.
        self.listener.cursor().execute("SET application_name = 'model listener'; LISTEN ordcancel; "
                                       "SET ordcancel.clock = '%s'"
                                       % shop.instant(self.now))

    def heard(self):
        """Notifications up to a marker, and whether these are all: they are not when the server went down."""
        try:
            cursor = self.listener.cursor()
            cursor.execute("NOTIFY ordcancel, 'marker'")
            payloads = []
            until = time.monotonic() + 60
            while time.monotonic() < until:
                self.listener.poll()
                while self.listener.notifies:
                    payload = self.listener.notifies.pop(0).payload
                    if payload == "marker":
                        return payloads, not self.deaf
                    payloads.append(payload)
                time.sleep(0.001)
            raise worker.Wrong("the marker was not heard")
        except psycopg2.Error:
            payloads = [n.payload for n in self.listener.notifies]
            self.listener.close()
            self.listen()
            return payloads, False

    # ------------------------------------------------------------------ rounds

    def kill(self, shoot):
        db = self.db()
        cursor = db.cursor()
        try:
            cursor.execute("SELECT pid FROM pg_stat_activity WHERE application_name = 'model worker' AND pid <> "
                           "pg_backend_pid()"
                           " AND datname = current_database() AND (state <> 'idle' OR random() < 0.2) ORDER BY "
                           "random() LIMIT 1")
            row = cursor.fetchone()
            if row is None:
                return False
            if shoot:
                os.kill(row[0], signal.SIGKILL)
                self.shot.add(row[0])
            else:
                cursor.execute("SELECT pg_terminate_backend(%s)", row)
                self.figures["kills"] += 1
            return True
        except (psycopg2.Error, ProcessLookupError):
            return False

    def sweep(self):
        """By itself, where all can be foretold."""
        cursor = self.db().cursor()
        cursor.execute("SET ordcancel.clock = '%s'" % shop.instant(self.now))
        look = worker.Look(cursor, self.rules, list(range(1, shop.ORDERS + 1)))
        cursor.execute("CALL ordcancel.sweep()")
        world = model.sweep(self.rules, look.world, self.now)
        found, differences = look.compare(cursor, [world], worker.Names())
        if found is None:
            raise worker.Wrong("after a sweep:\n  " + "\n  ".join(differences[:20]))
        self.figures["answers compared"] += shop.ORDERS
        self.figures["operations"] += 1

    def round(self, number):
        rng = self.rng
        self.deaf = False
        # So that deadlines and windows end at the very second, or one beside it.
        self.now += rng.choice((0, 1, 1800, 1800, 1800, 3600, 5400, 1799))
        if rng.random() < 0.6:
            self.sweep()
        race = rng.random() < 0.5
        ids = list(range(1, shop.ORDERS + 1))
        rng.shuffle(ids)
        if race:
            hot = rng.choice((4, 10, 30, 100, 200))
            shares = [ids[:hot]] * CLIENTS
        else:
            shares = [ids[i::CLIENTS] for i in range(CLIENTS)]
        kills = rng.choice((0, 0, 1, 3, 6))
        shoot = bool(self.restarts) and self.figures["operations"] >= self.restarts[0]
        if shoot:
            self.restarts.pop(0)
            kills = 1
        for i, pipe in enumerate(self.pipes):
            pipe.send(dict(rules=self.rules, seed="%s/%s/%s" % (self.seed, number, i), tag="%d:%d" % (number, i),
                           ids=shares[i],
                           now=self.now, operations=STRETCH, race=race))
        waiting = set(self.pipes)
        told = []
        next_kill = time.monotonic() + rng.uniform(0.02, 0.3)
        while waiting:
            for pipe in multiprocessing.connection.wait(waiting, 0.02 if kills else 1):
                waiting.discard(pipe)
                answer = pipe.recv()
                if answer["wrong"]:
                    self.wrong.append(answer["wrong"])
                    continue
                self.figures["operations"] += answer["operations"]
                self.figures["connections lost"] += answer["losses"]
                self.figures["answers compared"] += answer["compared"]
                self.sqlstates.update(answer["sqlstates"])
                self.verbs.update(answer["verbs"])
                told += answer["told"]
            if kills and waiting and time.monotonic() > next_kill:
                if self.kill(shoot):
                    kills -= 1
                next_kill = time.monotonic() + rng.uniform(0.01, 0.1)
        self.figures["rounds, raced" if race else "rounds, in turns"] += 1
        payloads, whole = self.heard()
        self.figures["notifications heard"] += len(payloads)
        if self.wrong:
            return
        self.invariants.round(self.db().cursor(), told if race else [], payloads, whole)
        if self.invariants.wrong:
            self.wrong.append("round %d (%s): %s" % (number, "raced" if race else "in turns",
                                                     "\n  ".join(self.invariants.wrong[:20])))

    def check_log(self):
        """Nothing fell over that was not shot, and nothing was surprised."""
        for line in self.log:
            if re.search(r"PANIC|TRAP: ", line) or re.search(r"^XX\S* (ERROR|FATAL|WARNING)", line):
                self.wrong.append("server log: " + line.strip())
            died = re.search(r"process \(PID (\d+)\) was terminated by signal (\d+)", line)
            if died and (int(died[1]) not in self.shot or died[2] != "9"):
                self.wrong.append("server log: " + line.strip())
            self.figures["server restarts"] += bool(died)

    def go(self):
        self.start()
        self.prepare()
        number = 0
        begun = time.monotonic()
        while self.figures["operations"] < self.operations and not self.wrong:
            if number % EPOCH == 0:
                self.end_epoch()
                self.epoch(number // EPOCH)
            try:
                self.round(number)
            except worker.Wrong as wrong:
                self.wrong.append("round %d: %s" % (number, wrong))
            self.check_log()
            number += 1
            if number % 100 == 0:
                print("%d operations after %d s" % (self.figures["operations"], time.monotonic() - begun), flush=True)
        self.end_epoch()
        self.check_log()
        self.figures["seconds"] = int(time.monotonic() - begun)
        self.report()
        return not self.wrong

    def end_epoch(self):
        if not hasattr(self, "name"):
            return
        if not self.wrong:
            self.invariants.at_the_end(self.db().cursor())
            if self.invariants.wrong:
                self.wrong.append(self.name + ": " + "; ".join(self.invariants.wrong))
        self.figures["invariants checked"] += self.invariants.checked
        self.listener.close()

    def report(self):
        for what, n in sorted(self.figures.items()):
            print("%-24s %9d" % (what, n))
        print("refused by SQLSTATE:      " + ", ".join("%s %d" % x for x in sorted(self.sqlstates.items())
                                                       if x[0] != "00000"))
        print("not refused:              %d" % self.sqlstates["00000"])
        print("operations:               " + ", ".join("%s %d" % x for x in sorted(self.verbs.items())))
        for what in self.wrong[:20]:
            print("WRONG " + what)


if __name__ == "__main__":
    sys.exit(not Run(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]).go())
