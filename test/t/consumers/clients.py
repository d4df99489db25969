"""Eight clients that cancel orders, until they are asked to stop.

Their transactions are of different length; some are rolled back, in part or
as a whole, some are prepared, and some stay open while others commit, so that
event IDs become visible in another order than they were taken.
"""
import os

import psycopg2

import common

CLIENTS = 8
ORDERS = 400
# How to name an order in a statement, by its number.
TABLES = {
    "shop.orders": (lambda n: str(n), "order_id = %d"),
    "shop.parts": (lambda n: "ROW('%s', %d)" % ("us" if n % 2 else "eu", n), "order_id = %d"),
    "shop.subscriptions": (lambda n: "'s%d'" % n, "order_id = 's%d'"),
}


class Client:
    def __init__(self, name, random):
        self.name = name
        self.number = int(name.split()[1])
        self.random = random
        self.db = None
        self.lost = False       # and with it, perhaps, a prepared transaction
        self.transactions = 0

    def ask(self, statement):
        cursor = self.db.cursor()
        cursor.execute(statement)
        return cursor.fetchall() if cursor.description else None

    def chance(self, percent):
        return self.random.random() * 100 < percent

    def order(self):
        """Mostly one that is left to this client."""
        table = self.random.choice(sorted(TABLES))
        if self.chance(10):
            return table, self.random.randint(1, 10)
        return table, 11 + self.number + CLIENTS * self.random.randrange((ORDERS - 20) // CLIENTS)

    def step(self):
        """One call for one order that its state permits."""
        table, number = self.order()
        key, condition = TABLES[table]
        live = self.ask("SELECT state, refund_due - refunded FROM %s_cancellation WHERE %s"
                        " AND state IN ('requested', 'in_progress', 'canceled')" % (table, condition % number))
        state, due = live[0] if live else (None, None)
        calls = {
            None: ["request_cancel(%s)", "cancel_order(%s)"],
            "requested": ["accept_cancel(%s)", "deny_cancel(%s, 'no')", "withdraw_cancel(%s)"],
            "in_progress": ["record_refund(%%s, %s, 'cash')" % due, "record_refund(%s, 1, 'cash')"],
            "canceled": ["undo_cancel(%s, settled => true)"],
        }
        call = self.random.choice(calls[state])
        self.ask("SELECT ordcancel." + call % ("'%s', %s" % (table, key(number))))

    def careful_step(self):
        """In a savepoint, that is rolled back now and then."""
        self.ask("SAVEPOINT step")
        try:
            self.step()
            self.ask("ROLLBACK TO step" if self.chance(30) else "RELEASE step")
        except psycopg2.Error as error:
            if not common.is_race(error):
                raise
            self.ask("ROLLBACK TO step")

    def wait_while_others_commit(self):
        common.nap(self.random.choice((0.01, 0.05, 0.3)) * self.random.random())

    def transaction(self):
        self.transactions += 1
        if self.chance(30):
            return self.step()
        self.ask("BEGIN")
        for _ in range(self.random.choice((1, 1, 2, 3, 8))):
            if self.chance(40):
                self.careful_step()
            else:
                self.step()
            if self.chance(15):
                self.wait_while_others_commit()
        if self.chance(25):
            self.wait_while_others_commit()
        end = self.random.random() * 100
        if end < 10:
            self.prepare()
        elif end < 20:
            self.ask("ROLLBACK")
        elif end < 22:
            self.leave()
        else:
            self.ask("COMMIT")

    def prepare(self):
        transaction = "%s, %d" % (self.name, self.transactions)
        self.ask("PREPARE TRANSACTION '%s'" % transaction)
        self.wait_while_others_commit()
        self.ask("%s PREPARED '%s'" % ("ROLLBACK" if self.chance(20) else "COMMIT", transaction))

    def finish_prepared(self):
        """What was prepared when the server was lost."""
        for (transaction,) in self.ask("SELECT gid FROM pg_prepared_xacts WHERE gid LIKE '%s,%%'" % self.name):
            self.ask("COMMIT PREPARED '%s'" % transaction)

    def leave(self):
        if self.db:
            self.db.close()
        self.db = None

    def connect(self):
        self.db = common.connect(self.name, lock_timeout="300ms", **{"ordcancel.notify": "off"})
        if self.db:
            self.finish_prepared()
            self.lost = False

    def work(self):
        if self.db is None:
            self.connect()
        else:
            try:
                self.transaction()
            except psycopg2.Error as error:
                if not common.is_race(error):
                    raise
                self.ask("ROLLBACK")
        common.nap(self.random.random() * 0.03)

    def run(self):
        while not common.asked("stop"):
            if common.asked("pause.clients") and not self.lost:
                self.leave()
                common.nap(0.02)
                continue
            try:
                self.work()
            except psycopg2.Error as error:
                if not common.is_lost(error):
                    raise
                self.leave()
                self.lost = True
        self.leave()


def run(name, random):
    Client(name, random).run()


for n in range(CLIENTS):
    common.fork(run, "client %d" % n)
for n in range(CLIENTS):
    os.wait()
