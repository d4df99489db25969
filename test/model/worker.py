"""One client: a process with one connection, that is killed now and then."""
import os
import random
import re
import time
import traceback
from dataclasses import dataclass, fields, replace
from decimal import Decimal

import psycopg2

import model
import shop
from model import Failure, Order, Outcome, World
from script import Script

ISOLATION = ("READ COMMITTED", "READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")
# What a client may hear while others are at the same orders.
RACE = {"23514", "40P01", "OC002", "OC003", "OC004", "OC005", "OC006", "OC007", "OC008", "OC009", "OC010", "OC011"}


class Wrong(Exception):
    """The extension and the model disagree."""


class Lost(Exception):
    """The connection is gone."""


@dataclass
class Item:
    op: object
    said: object
    undo: bool = False      # its savepoint is rolled back
    spelling: int = 0

    def sql(self):
        return shop.statement(self.op, self.spelling)

    def settings(self):
        s = self.said
        return [("actor", s.actor), ("reason", s.reason or ""), ("note", s.note or "")]


def connect(role=None, now=None):
    """Waits while the server is starting."""
    until = time.monotonic() + 120
    while True:
        try:
            db = psycopg2.connect("", application_name="model worker")
            db.autocommit = True
            cursor = db.cursor()
            if now is not None:
                cursor.execute("SET ordcancel.clock = '%s'" % shop.instant(now))
            if role:
                cursor.execute("SET ROLE " + role)
            return db
        except psycopg2.Error:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)


class Client:
    def __init__(self):
        self.db = None
        self.role = None
        self.losses = 0

    def begin(self, now):
        """Once for each round."""
        self.now = now
        if self.db is None or self.db.closed:
            self.role = None
            self.db = connect(None, now)
            return
        try:
            self.ask("RESET ROLE; SET ordcancel.clock = '%s'" % shop.instant(now))
            self.role = None
        except Lost:
            self.begin(now)

    def act_as(self, role):
        if role != self.role:
            self.ask("SET ROLE " + role)
            self.role = role

    def again(self):
        self.losses += 1
        self.db = connect(self.role, self.now)

    def ask(self, sql, values=None):
        """The first column of the first row, if there is one."""
        try:
            cursor = self.db.cursor()
            cursor.execute(sql, values)
            row = cursor.fetchone() if cursor.description else None
            return row[0] if row else None
        except psycopg2.Error as error:
            if self.db.closed or error.pgcode is None or error.pgcode.startswith("57P"):
                self.db.close()
                raise Lost from None
            raise

    def one(self, item):
        """A statement of its own, told in the words of model.attempt."""
        settings = "; ".join("SET LOCAL ordcancel.%s = %s" % (k, shop.quoted(v)) for k, v in item.settings())
        try:
            # Sweeping commits only outside of a transaction block.
            return "=%s" % (self.ask(item.sql() if item.op.verb == "sweep" else settings + "; " + item.sql()) or "")
        except psycopg2.Error as error:
            return "!%s|%s|%s" % (error.pgcode, error.diag.constraint_name or "", error.diag.message_primary)

    def lists(self, batch):
        s = [i.said for i in batch]
        return ([i.sql() for i in batch], [x.actor for x in s], [x.reason or "" for x in s], [x.note or "" for x in s],
                [i.undo for i in batch])

    def run(self, batch, mode, isolation, commit, answers):
        """Appends what was told, and says what became of it: done, committed, rolled_back. Raises Lost."""
        self.act_as(batch[0].said.role)
        if mode == "single":
            answers.append(self.one(batch[0]))
            return "done"
        if mode == "chain":
            answers.extend(self.ask("CALL model.chain(%s, %s, %s, %s, %s::boolean[], NULL)", self.lists(batch)))
            return "done"
        begin = "BEGIN ISOLATION LEVEL %s; " % isolation
        if mode == "several":
            answers.extend(self.ask(begin + "SELECT model.several(%s, %s, %s, %s, %s::boolean[])", self.lists(batch)))
        else:
            self.ask(begin)
            for item in batch:
                if item.undo:
                    self.ask("SAVEPOINT s")
                answers.append(self.one(item))
                if item.undo:
                    self.ask("ROLLBACK TO SAVEPOINT s")
                elif answers[-1].startswith("!"):
                    commit = False
                    break
        self.committing = commit
        try:
            self.ask("COMMIT" if commit else "ROLLBACK")
        except psycopg2.Error as error:
            if error.pgcode != "40001":
                raise Wrong("COMMIT failed: %s %s" % (error.pgcode, error)) from None
            return "rolled_back"
        return "committed" if commit else "rolled_back"


# ----------------------------------------------------------------- comparisons

class Names:
    """Which cancellation of the database is which of the model's."""

    def __init__(self):
        self.ids = {}

    def same(self, n, id):
        if n is None or id is None or not isinstance(n, str):
            return n == id
        if n not in self.ids:
            if id in self.ids.values():
                return False
            self.ids[n] = id
        return self.ids[n] == id


def same_money(a, b):
    """Where less than nothing is due, nothing is."""
    return a == b if a is None or b is None else max(a, 0) == max(b, 0)


def same_answer(told, answer, names):
    if isinstance(answer, Failure):
        return isinstance(told, Failure) and told.sqlstate == answer.sqlstate and (
            answer.constraint is None or told.constraint == answer.constraint)
    if isinstance(told, Failure):
        return False
    if isinstance(answer, Outcome):
        return (replace(told, n=None, due=None) == replace(answer, n=None, due=None)
                and same_money(told.due, answer.due) and names.same(answer.n, told.n))
    if isinstance(answer, dict):
        return all(told.get(k) == v for k, v in answer.items())
    if isinstance(answer, tuple):
        return len(told) == len(answer) and all(
            (a[0], a[1], a[3]) == (t[0], t[1], t[3]) and names.same(a[2], t[2]) for a, t in zip(answer, told))
    return told == answer


def same_data(db, data):
    got = {k: Decimal(str(v)) if isinstance(v, (int, float)) and not isinstance(v, bool) else v for k, v in db}
    return all(same_money(got.get(k), v) if k in ("refund_due", "refunded", "amount") else got.get(k) == v
               for k, v in data)


def differences(db, world, ids, rows, events, names):
    """Between the database and a world: orders, their newest cancellations, those of rows, and events."""
    found = []

    def differ(what, id, got, wanted):
        found.append("%s of order %s: it is %s, the model says %s" % (what, id, got, wanted))

    def compare_cancellation(id, got, wanted):
        for f in fields(model.Cancellation):
            a, b = getattr(got, f.name), getattr(wanted, f.name)
            if f.name == "n":
                same = names.same(b, a)
            elif f.name == "reason":
                same = a <= b
            elif f.name == "refunds":
                same = True     # events tell
            else:
                same = same_money(a, b) if f.name == "due" else a == b
            if not same:
                differ("cancellation %s, %s" % (got.n, f.name), id, a, b)

    for id in ids:
        got, wanted = db.orders[id], world.orders[id]
        for name in ("exists",) + (("status", "seller", "placed_at", "paid", "hold") if wanted.exists else ()):
            if getattr(got, name) != getattr(wanted, name):
                differ(name, id, getattr(got, name), getattr(wanted, name))
        have = rows.get(id, [])
        want = list(wanted.ended) + ([wanted.last] if wanted.last else [])
        if len(have) != len(want):
            differ("number of cancellations", id, [c.n for c in have], [c.n for c in want])
        for a, b in zip(have, want):
            compare_cancellation(id, a, b)
        have = events.get(id, [])
        if len(have) != len(wanted.events):
            differ("events", id, [e.type for e in have], [e.type for e in wanted.events])
        for a, b in zip(have, wanted.events):
            if replace(a, reason=None, data=None) != replace(b, reason=None, data=None) or not a.reason <= b.reason \
                    or not same_data(a.data, b.data):
                differ("event", id, a, b)
    return found


class Look:
    """What there was when a stretch began, to tell what has come since."""

    def __init__(self, cursor, rules, ids):
        self.rules = rules
        self.ids = ids
        self.world = shop.load(cursor, rules, ids)
        cursor.execute("SELECT coalesce((SELECT max(event_id) FROM shop.orders_cancellation_event), 0)")
        self.event = cursor.fetchone()[0]
        self.known = [o.last.n for o in self.world.orders.values() if o.last]
        self.newest = {o.id: o.last.n if o.last else 0 for o in self.world.orders.values()}

    def compare(self, cursor, worlds, names):
        """The first of the worlds that is the database's; differences from the last when none is."""
        db = shop.load(cursor, self.rules, self.ids)
        cursor.execute("SELECT c.* FROM unnest(%%s, %%s) AS k (i, n) CROSS JOIN LATERAL (SELECT %s FROM "
                       "shop.orders_cancellation"
                       " WHERE order_id = k.i AND cancellation_id >= k.n ORDER BY cancellation_id) AS c"
                       % shop.CANCELLATION,
                       (list(self.newest), list(self.newest.values())))
        rows, events = {}, {}
        for row in cursor.fetchall():
            id, c = shop.cancellation_of(row)
            rows.setdefault(id, []).append(c)
        cursor.execute("SELECT %s FROM shop.orders_cancellation_event WHERE order_id = ANY (%%s) AND event_id > %%s"
                       " ORDER BY event_id" % shop.EVENT, (self.ids, self.event))
        for row in cursor.fetchall():
            events.setdefault(row[2], []).append(shop.event_of(row))
        for world in worlds:
            tried = Names()
            tried.ids = dict(names.ids)
            found = differences(db, world, self.ids, rows, events, tried)
            if not found:
                names.ids = tried.ids
                return world, []
        return None, found


# --------------------------------------------------------------------- a round

class Round:
    """A client's part of a round: so many operations on these orders."""

    def __init__(self, client, rules, seed, tag, ids, now, operations, race):
        self.client = client
        self.rules = rules
        self.rng = random.Random(seed)
        self.ids = ids
        self.operations = operations
        self.race = race
        self.script = Script(self.rng, rules, ids, tag, now, race)
        self.role = "clerk"
        self.sqlstates = {}
        self.verbs = {}
        self.told = []          # (actor, verb, order, fate, events, outcome, group)
        self.groups = 0
        self.compared = 0
        self.seen = {}          # racing: what was last told of an order
        self.past = []          # in turns: what was done, for the report of a difference

    def batch(self, world):
        rng = self.rng
        if rng.random() < 0.3:
            self.role = "clerk" if rng.random() < 0.75 else "shopper"
        mode, = rng.choices(("single", "chain", "several", "talk"), (30, 25, 25, 10))
        size = {"single": 1, "chain": rng.randint(3, 10), "several": rng.randint(2, 6), "talk": rng.randint(1, 3)}[mode]
        isolation = rng.choice(ISOLATION) if mode in ("several", "talk") else ISOLATION[0]
        items = []
        for _ in range(size):
            said = self.script.said(self.role)
            guess = world if world else World(self.seen)
            if self.race and rng.random() < 0.01 and self.role == "clerk":
                op = model.Op("sweep")
            else:
                op = self.script.operation(guess, said)
            undo = mode != "single" and rng.random() < (0.1 if mode != "talk" else 0.3)
            items.append(Item(op, said, undo, rng.randrange(2)))
            if world:
                answers = model.step(self.rules, world, op, said)
                world = answers[0][1] if not undo else world
        return items, mode, isolation, rng.random() < 0.8

    def count(self, item, told):
        self.verbs[item.op.verb] = self.verbs.get(item.op.verb, 0) + 1
        sqlstate = told.sqlstate if isinstance(told, Failure) else "00000"
        self.sqlstates[sqlstate] = self.sqlstates.get(sqlstate, 0) + 1

    def run(self):
        done = 0
        look = None
        if not self.race:
            while look is None:
                try:
                    look = self.look()
                except psycopg2.Error:
                    self.client.again()
            self.world = look.world
            self.names = Names()
        while done < self.operations:
            world = None if self.race else self.world
            batch, mode, isolation, commit = self.batch(world)
            answers = []
            self.client.committing = False
            try:
                fate = self.client.run(batch, mode, isolation, commit, answers)
            except Lost:
                fate = "lost"
            told = [shop.read_answer(i.op, a) for i, a in zip(batch, answers)]
            for item, (answer, message) in zip(batch, told):
                self.count(item, answer)
                if isinstance(answer, Failure) and answer.sqlstate[:2] in ("XX", "P0"):
                    raise Wrong("%s: %s, from %s" % (answer.sqlstate, message, item.sql()))
            done += max(len(answers), 1)
            if self.race:
                self.note(batch, [t[0] for t in told], fate, mode, isolation)
                if fate == "lost":
                    self.client.again()
            else:
                self.judge(batch, told, fate, mode, isolation, commit)
                if fate == "lost":
                    self.recover(look)
        if not self.race:
            self.finish(look)
        return done

    def look(self):
        cursor = self.client.db.cursor()
        cursor.execute("RESET ROLE")
        self.client.role = None
        return Look(cursor, self.rules, self.ids)

    # What each was told must be what the model says.

    def judge(self, batch, told, fate, mode, isolation, commit):
        before = self.world
        world = before
        self.open = [before]        # the worlds that there may be when the connection is lost
        for item, (answer, message) in zip(batch, told):
            # PostgreSQL may see a conflict where there is none.
            if isolation == "SERIALIZABLE" and isinstance(answer, Failure) and answer.sqlstate == "40001":
                if mode == "talk" and not item.undo:
                    break
                continue
            op = item.op
            if isolation == "SERIALIZABLE" and isinstance(answer, tuple):
                # So may single ones of many orders.
                failed = {row[0] for row in answer if row[3] == "40001"}
                op = replace(op, ids=tuple(i for i in op.ids if str(i) not in failed))
                answer = tuple(row for row in answer if row[0] not in failed)
            answers = model.step(self.rules, world, op, item.said)
            fits = [w for a, w in answers if same_answer(answer, a, self.names)]
            self.compared += 1
            self.past.append((item, answer, fate, mode, isolation))
            if not fits:
                raise Wrong("%s\n  said by %s\n  order %s\n  answered %s %s\n  the model says %s\n  before that\n%s" % (
                    item.sql(), item.said, world.orders.get(item.op.id), answer, message or "", [a for a, _ in answers],
                    self.before([item.op.id])))
            if not item.undo:
                world = fits[0]
        if fate == "lost" and mode in ("single", "chain"):
            # Some of them were done, in their order.
            worlds = [world]
            for item in batch:
                if not item.undo:
                    worlds = [w for v in worlds for _, w in model.step(self.rules, v, item.op, item.said)]
                    self.open += worlds
        elif fate == "lost":
            if self.client.committing:
                self.open.append(world)
        elif fate in ("done", "committed"):
            self.world = world

    def explain(self, found):
        ids = [int(n) for n in re.findall(r"of order (\d+):", " ".join(found[:10]))]
        return "\n  ".join(found[:10]) + "\n  before that\n" + self.before(ids)

    def before(self, ids):
        """What was done to these orders in this round."""
        return "\n".join("    %s %s -> %s (%s, %s%s)" % (isolation, item.sql(), answer, mode, fate, ", undone"
                                                         if item.undo else "")
                         for item, answer, fate, mode, isolation in self.past
                         if item.op.id in ids or set(item.op.ids) & set(ids))

    def compare(self, look, worlds):
        while True:
            try:
                cursor = self.client.db.cursor()
                cursor.execute("RESET ROLE")
                self.client.role = None
                return look.compare(cursor, worlds, self.names)
            except psycopg2.Error:
                self.client.again()

    def recover(self, look):
        """The connection was lost: the world is one of those that it may be, not something between."""
        self.client.again()
        world, found = self.compare(look, self.open)
        if world is None:
            raise Wrong("after a kill:\n  " + self.explain(found))
        self.world = world
        self.compared += len(self.ids)

    def finish(self, look):
        world, found = self.compare(look, [self.world])
        if world is None:
            raise Wrong("when it was over:\n  " + self.explain(found))
        self.compared += len(self.ids)

    # While others are at the same orders: what was told, for comparing later.

    def note(self, batch, told, fate, mode, isolation):
        self.groups += 1
        for number, item in enumerate(batch):
            op = item.op
            answer = told[number] if number < len(told) else None
            n = None        # how many events it has made
            if isinstance(answer, Failure):
                n = 0
                own = {"insert": {"23505"}}.get(op.verb, set()) | ({"42501"} if item.said.role == "shopper" else set())
                own |= {"40001"} if isolation != "READ COMMITTED" else set()
                if answer.sqlstate not in RACE | own:
                    raise Wrong("%s from %s, in %s" % (answer, item.sql(), isolation))
            elif isinstance(answer, Outcome):
                n = (2 if op.verb == "record_refund" and answer.state == "canceled" else 1) if answer.changed else 0
                if fate != "rolled_back" and not item.undo:
                    self.seen[op.id] = Order(op.id, True, answer.order_status, last=model.Cancellation(
                        answer.n, answer.state, "customer", None, "placed", answer.order_status, None, 0,
                        due=answer.due, refunded=answer.refunded))
            elif isinstance(answer, tuple):
                n = sum(row[1] in ("requested", "in_progress", "canceled") for row in answer)
            elif answer == 0:
                n = 0
            elif answer == 1:
                n = "some"      # zero or one, the changes of the row tell
            if op.verb in ("sweep", "cancel_options"):
                continue
            what = fate
            if item.undo:
                what = "rolled_back"
            elif fate == "lost":
                sent = self.client.committing or mode in ("single", "chain")
                what = ("together" if mode in ("several", "talk") else "perhaps") if sent else "rolled_back"
            self.told.append((item.said.actor, op.verb, op.id, what, n, answer if isinstance(answer, Outcome) else None,
                              self.groups))


def serve(pipe):
    """The process: a round for each message."""
    client = Client()
    while True:
        job = pipe.recv()
        if job is None:
            return
        if isinstance(job, str):
            # Another database, from the next round on.
            if client.db:
                client.db.close()
            client.db = None
            os.environ["PGDATABASE"] = job
            continue
        client.losses = 0
        answer = {"wrong": None}
        try:
            client.begin(job["now"])
            r = Round(client, **job)
            answer.update(operations=r.run(), sqlstates=r.sqlstates, verbs=r.verbs, told=r.told, compared=r.compared,
                          losses=client.losses)
        except Wrong as wrong:
            answer["wrong"] = "%s: %s" % (job["tag"], wrong)
        except Exception:
            answer["wrong"] = "%s: %s" % (job["tag"], traceback.format_exc())
        pipe.send(answer)
