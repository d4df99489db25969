"""Eight clients at the same orders and items, in all isolation levels.

Usage: clients.py SEED SECONDS.  Prints what happened; fails if anything was wrong.
"""
import collections
import json
import multiprocessing
import random
import sys
import time
import traceback

import psycopg2

from invariants import SHOPS, wrong

CLIENTS = 8
ORDERS = 100
LEVELS = ("READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE")

# What the functions may refuse, and the constraints of refused plain writes.
REFUSED = {"OC003", "OC005", "OC007", "OC008", "OC009", "OC010", "OC012", "OC015", "OC016"}
CONSTRAINTS = {"cancellation_forbidden", "cancellation_blocked", "items_not_available", "order_is_canceled",
               "order_on_hold", "refund_not_settled"}
PLAIN = {"ship", "unship", "edit", "edit_below", "insert", "delete", "move", "write_canceled", "update"}


class Wrong(Exception):
    """The extension did what it must not do."""


class Client:
    def __init__(self, number, seed, until):
        self.random = random.Random("%s %d" % (seed, number))
        self.until = until
        self.tally = collections.Counter()
        self.db = psycopg2.connect("", application_name="client %d" % number)
        self.db.autocommit = True
        self.cursor = self.db.cursor()
        self.ask("SET ordcancel.notify = off")
        self.ask("SET ordcancel.actor = 'client %d'" % number)

    def ask(self, statement, *values):
        self.cursor.execute(statement, values or None)
        return self.cursor.fetchall() if self.cursor.description else []

    def chance(self, percent):
        return self.random.random() * 100 < percent

    # One step at one order each. They return the outcome, if there is one.

    def outcome(self, call, *values):
        state, changed, which = self.ask("SELECT state, changed, cancellation_id FROM ordcancel." + call, *values)[0]
        scope = self.ask("SELECT scope FROM %s.orders_cancellation WHERE cancellation_id = %%s" % self.shop, which)
        return state, changed, scope[0][0] if scope else None

    def orders(self):
        return self.shop + ".orders", self.order

    def items(self):
        """Some of its items, with quantities that may be too high."""
        rows = self.ask("SELECT id, quantity - canceled - shipped FROM %s.items WHERE order_id = %%s ORDER BY id"
                        % self.shop, self.order)
        if not rows:
            rows = [(1, 1)]
        self.random.shuffle(rows)
        items = []
        for key, left in rows[:self.random.choice((1, 1, 1, 2, 3))]:
            item = {"item": [key, self.order] if self.shop == "parted" else key}
            if self.chance(60 if self.shop != "states" else 5):
                item["quantity"] = self.random.randint(1, max(1, int(left)))
                if self.shop == "parted" and self.chance(20):
                    item["quantity"] = 0.5
            items.append(item)
        return json.dumps(items)

    def cancel_items(self):
        return self.outcome("cancel_items(%s, %s, %s)", *self.orders(), self.items())

    def request_items(self):
        return self.outcome("request_cancel_items(%s, %s, %s)", *self.orders(), self.items())

    def cancel_order(self):
        return self.outcome("cancel_order(%s, %s)", *self.orders())

    def request_cancel(self):
        return self.outcome("request_cancel(%s, %s)", *self.orders())

    def accept(self):
        return self.outcome("accept_cancel(%s, %s)", *self.orders())

    def deny(self):
        return self.outcome("deny_cancel(%s, %s, note => 'no')", *self.orders())

    def withdraw(self):
        return self.outcome("withdraw_cancel(%s, %s)", *self.orders())

    def some_cancellation(self, states):
        """One of the order's, or none to be left to the function."""
        if self.chance(20):
            return None, 1
        rows = self.ask("SELECT cancellation_id, refund_due - coalesce(refunded, 0) FROM %s.orders_cancellation"
                        " WHERE order_id = %%s AND state = ANY (%%s)" % self.shop, self.order, states)
        return self.random.choice(rows) if rows else (None, 1)

    def undo(self):
        which, _ = self.some_cancellation(["in_progress", "canceled", "requested"])
        return self.outcome("undo_cancel(%s, %s, 'a note', settled => %s, cancellation_id => %s)", *self.orders(),
                            self.chance(70), which)

    def refund(self):
        which, due = self.some_cancellation(["in_progress"])
        amount = due if self.chance(80) else self.random.choice((1, 0.5, 3))
        return self.outcome("record_refund(%s, %s, %s, %s, cancellation_id => %s)", *self.orders(), amount or 1,
                            self.random.choice(("card", "cash", "points")), which)

    def several(self):
        """They are locked by the function, whatever their order here."""
        ids = self.random.sample(range(1, ORDERS + 1), 5)
        for _, state, sqlstate in self.ask("SELECT order_id, outcome, sqlstate FROM ordcancel.cancel_orders(%s, %s)",
                                           self.shop + ".orders", ids):
            self.count("several", sqlstate or state)
            if sqlstate and sqlstate not in REFUSED and (sqlstate != "40001" or self.level == LEVELS[0]):
                raise Wrong("cancel_orders: %s in %s" % (sqlstate, self.level))

    def batch(self):
        """In transactions of its own. Batches of the same table wait for each other's orders, or skip them."""
        self.ask("CALL ordcancel.cancel_batch(%s, %s, chunk => %s)", self.shop + ".items",
                 "order_id %% 25 = %d AND price < 5" % self.random.randrange(25), self.random.choice((1, 3, 100)))

    def sweep(self):
        self.ask("CALL ordcancel.sweep()")

    def options(self):
        self.ask("SELECT * FROM ordcancel.item_options(%s, %s)", *self.orders())
        self.ask("SELECT * FROM ordcancel.cancel_options(%s, %s)", *self.orders())

    def update(self):
        self.ask("UPDATE %s.orders SET status = %%s WHERE id = %%s AND status = 'placed'" % self.shop,
                 self.random.choice(("canceled", "refunding", "asked")), self.order)

    def item(self):
        rows = self.ask("SELECT id FROM %s.items WHERE order_id = %%s" % self.shop, self.order)
        return self.random.choice(rows)[0] if rows else 0

    def write(self, statement, *values):
        self.ask(statement % self.shop, *values, self.item(), self.order)

    def ship(self):
        self.write("UPDATE %s.items SET shipped = shipped + %%s WHERE id = %%s AND order_id = %%s",
                   self.random.choice((1, 1, 2)))

    def unship(self):
        self.write("UPDATE %s.items SET shipped = 0 WHERE id = %%s AND order_id = %%s")

    def edit(self):
        # It leaves something, so that an edit never makes nothing left.
        self.write("UPDATE %s.items SET quantity = greatest(quantity + %%s, canceled + shipped + 1)"
                   " WHERE id = %%s AND order_id = %%s", self.random.choice((-2, -1, 1)))

    def edit_below(self):
        self.write("UPDATE %s.items SET quantity = canceled + shipped - 1 WHERE id = %%s AND order_id = %%s"
                   " AND canceled + shipped > 0")
        if self.cursor.rowcount:
            raise Wrong("fewer units than are canceled and fulfilled")

    def write_canceled(self):
        if self.shop == "states":
            self.write("UPDATE %s.items SET state = CASE state WHEN 'canceled' THEN 'open' ELSE 'canceled' END"
                       " WHERE id = %%s AND order_id = %%s")
        else:
            self.write("UPDATE %s.items SET canceled = canceled + %%s WHERE id = %%s AND order_id = %%s",
                       self.random.choice((1, -1)))
        if self.cursor.rowcount:
            raise Wrong("a plain write has canceled units")

    def insert(self):
        self.ask("INSERT INTO %s.items (id, order_id, quantity, price) VALUES (nextval('item_id'), %%s, %%s, 2.5)"
                 % self.shop, self.order, self.random.randint(1, 3))

    def lose(self, statement, *values):
        """Only while there are enough."""
        if len(self.ask("SELECT FROM %s.items WHERE order_id = %%s" % self.shop, self.order)) < 3:
            return
        self.write(statement, *values)
        if self.cursor.rowcount:
            self.ask("INSERT INTO %s.lost VALUES (%%s)" % self.shop, self.order)

    def delete(self):
        self.lose("DELETE FROM %s.items WHERE id = %%s AND order_id = %%s")

    def move(self):
        # A client that locks an item before an order can cause a deadlock. These
        # do not: all move to a later order.
        if self.order < ORDERS:
            self.lose("UPDATE %s.items SET order_id = %%s WHERE id = %%s AND order_id = %%s",
                      self.random.randint(self.order + 1, ORDERS))

    STEPS = (["cancel_items"] * 12 + ["request_items"] * 5 + ["accept"] * 4 + ["deny", "withdraw"] * 2 + ["undo"] * 9
             + ["refund"] * 8 + ["ship"] * 5 + ["unship"] * 4 + ["edit"] * 6 + ["edit_below", "write_canceled"]
             + ["insert", "insert", "delete", "move"] + ["cancel_order"] * 3 + ["request_cancel"] * 2 + ["update"]
             + ["several", "options"])

    def count(self, name, answer):
        self.tally["%s %s" % (name, answer)] += 1

    def check(self, name, outcome):
        """In the same transaction: an order that was canceled has nothing left, and one with nothing left is."""
        state, changed, scope = outcome
        if not changed or self.level != LEVELS[0] or name not in ("cancel_items", "accept", "cancel_order"):
            return
        left, fulfilled = self.ask("SELECT sum(quantity - canceled - shipped), sum(shipped) FROM %s.items"
                                   " WHERE order_id = %%s" % self.shop, self.order)[0]
        if scope == "order" and (left or fulfilled):
            raise Wrong("%s of order %s of %s: %s, but %s left and %s fulfilled" % (
                name, self.order, self.shop, state, left, fulfilled))

    def step(self, steps):
        # A transaction of several steps stays at its order.
        names = self.STEPS if steps == 1 else [name for name in self.STEPS if name not in ("several", "move")]
        name = self.name = self.random.choice(names)
        outcome = getattr(self, name)()
        if outcome:
            self.check(name, outcome)
        self.count(name, "%s%s" % (outcome[0], "" if outcome[1] else " unchanged") if outcome else "done")

    def judge(self, error):
        self.count(self.name, error.pgcode)
        code, constraint = error.pgcode, error.diag.constraint_name
        if code == "40001":
            allowed = self.level != LEVELS[0]
        elif code == "23514":
            allowed = constraint in CONSTRAINTS and self.name in PLAIN
        else:
            allowed = code in REFUSED
        if not allowed:
            raise Wrong("%s at order %s of %s in %s: %s %s %s" % (
                self.name, self.order, self.shop, self.level, code, constraint, error)) from None

    def transaction(self):
        self.shop = self.random.choice(SHOPS)
        self.order = self.random.randint(1, 8 if self.chance(50) else ORDERS)
        self.level = self.random.choice(LEVELS)
        if self.chance(2):
            self.name, self.level = self.random.choice(("batch", "sweep")), LEVELS[0]
            try:
                getattr(self, self.name)()
                self.count(self.name, "done")
            except psycopg2.Error as error:
                self.judge(error)
            return
        self.name = "begin"
        steps = self.random.choice((1, 1, 1, 2, 3))
        try:
            self.ask("BEGIN ISOLATION LEVEL " + self.level)
            if steps > 1:
                # Its items may be locked by a plain write next, and the order is
                # to be locked before them.
                self.ask("SELECT FROM %s.orders WHERE id = %%s FOR NO KEY UPDATE" % self.shop, self.order)
            for _ in range(steps):
                self.ask("SAVEPOINT s")
                try:
                    self.step(steps)
                    if self.chance(10):
                        self.ask("ROLLBACK TO s")
                except psycopg2.Error as error:
                    if error.pgcode == "40001":
                        raise
                    self.judge(error)
                    self.ask("ROLLBACK TO s")
            self.name = "end"
            self.ask("ROLLBACK" if self.chance(10) else "COMMIT")
        except psycopg2.Error as error:
            self.judge(error)
            self.ask("ROLLBACK")

    def run(self):
        while time.monotonic() < self.until:
            self.transaction()
        return self.tally


def serve(number, seed, until, pipe):
    try:
        pipe.send((Client(number, seed, until).run(), None))
    except Wrong as problem:
        pipe.send((collections.Counter(), "client %d: %s" % (number, problem)))
    except Exception:
        pipe.send((collections.Counter(), "client %d: %s" % (number, traceback.format_exc())))


def look(problems):
    """All invariants, in one snapshot for each shop."""
    db = psycopg2.connect("", application_name="invariants")
    for shop in SHOPS:
        with db, db.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            problems += wrong(cursor, shop)
    db.close()


def settle(problems):
    """All that is open can be completed."""
    db = psycopg2.connect("", application_name="settle")
    db.autocommit = True
    cursor = db.cursor()
    for shop in SHOPS:
        cursor.execute("SELECT order_id FROM %s.orders_cancellation WHERE state = 'requested'" % shop)
        for (order,) in cursor.fetchall():
            cursor.execute("SELECT ordcancel.deny_cancel(%s, %s, note => 'no')", (shop + ".orders", order))
        cursor.execute("SELECT order_id, cancellation_id, refund_due - coalesce(refunded, 0)"
                       " FROM %s.orders_cancellation WHERE state = 'in_progress' ORDER BY random()" % shop)
        for order, cancellation, due in cursor.fetchall():
            if due is None:
                problems.append("%s: order %s: refund_due of cancellation %s is null" % (shop, order, cancellation))
            elif due > 0:
                cursor.execute("SELECT ordcancel.record_refund(%s, %s, %s, 'cash', cancellation_id => %s)",
                               (shop + ".orders", order, due, cancellation))
        cursor.execute("SELECT order_id, cancellation_id FROM %s.orders_cancellation"
                       " WHERE state IN ('requested', 'in_progress')" % shop)
        problems += ["%s: order %s: cancellation %s stays open" % (shop, *row) for row in cursor.fetchall()]
        cursor.execute("SELECT * FROM ordcancel.health(%s)", (shop + ".orders",))
        problems += ["%s: health: %s" % (shop, row) for row in cursor.fetchall()]
    db.close()


def main(seed, seconds):
    until = time.monotonic() + seconds
    pipes = []
    for number in range(CLIENTS):
        here, there = multiprocessing.Pipe()
        multiprocessing.Process(target=serve, args=(number, seed, until, there), daemon=True).start()
        pipes.append(here)
    problems = []
    looks = 0
    while time.monotonic() < until and not problems and not any(p.poll() for p in pipes):
        look(problems)
        looks += 1
        pipes[0].poll(min(1, max(0, until - time.monotonic())))
    tally = collections.Counter()
    for pipe in pipes:
        counted, problem = pipe.recv()
        tally += counted
        problems += [problem] if problem else []
    look(problems)
    if not problems:
        settle(problems)
        look(problems)
    names = collections.defaultdict(list)
    for what, times in sorted(tally.items()):
        name, answer = what.split(" ", 1)
        names[name].append("%s %d" % (answer, times))
    for name, answers in names.items():
        print("%s: %s" % (name, ", ".join(answers)))
    print("%d steps, %d looks at all invariants" % (sum(tally.values()), looks + 2))
    for what in ("cancel_items canceled", "cancel_items in_progress", "accept in_progress", "undo undone",
                 "refund canceled", "cancel_order in_progress", "ship 23514", "edit_below 23514", "insert 23514",
                 "write_canceled 23514", "cancel_items OC016", "cancel_order OC005", "undo OC015"):
        if not tally[what]:
            problems.append("never happened: " + what)
    print("deadlocks: %d" % sum(n for what, n in tally.items() if what.endswith("40P01")))
    for problem in problems:
        print("WRONG " + problem)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
