"""What must hold of the tables when nobody is at work, whoever raced with whom."""
import json
from collections import defaultdict

import shop
from model import LIVE

# The diagram of a cancellation's life: state before, type of event, state after.
STEPS = {(None, "requested", "requested"), (None, "accepted", "in_progress"), (None, "canceled", "canceled"),
         ("requested", "withdrawn", "withdrawn"), ("requested", "denied", "denied"),
         ("requested", "accepted", "in_progress"),
         ("requested", "canceled", "canceled"), ("in_progress", "refunded", "in_progress"),
         ("in_progress", "canceled", "canceled"),
         ("in_progress", "undone", "undone"), ("canceled", "undone", "undone")}


class Invariants:
    """Follows one database from round to round."""

    def __init__(self, rules, watched):
        self.rules = rules
        self.watched = watched      # changes of orders are written down
        self.words = shop.all_words(rules)
        self.closed = {s for p in rules.policies.values() for s in p.closed}
        self.reopen = {s for p in rules.policies.values() for s in p.reopen}
        self.lives = {}             # of the live cancellations: state, refunded, last status
        self.event = self.change = self.cancellation = 0
        self.checked = 0
        self.wrong = []
        self.status = {}            # of each order, by its changes
        self.moved = set()          # live cancellations whose order was deleted meanwhile

    def must(self, fact, what, *values):
        self.checked += 1
        if not fact:
            self.wrong.append(what % values)

    def read(self, cursor):
        """All that has come since the last time."""
        cursor.execute("SELECT %s FROM shop.orders_cancellation_event WHERE event_id > %%s ORDER BY event_id"
                       % shop.EVENT, (self.event,))
        self.events = [(row[0], row[1], row[2], shop.event_of(row), row[14], row[16], row[15])
                       for row in cursor.fetchall()]
        cursor.execute("SELECT %s FROM shop.orders_cancellation WHERE cancellation_id > %%s OR cancellation_id = ANY "
                       "(%%s)"
                       " OR state IN ('requested', 'in_progress', 'canceled')"
                       % shop.CANCELLATION, (self.cancellation, list(self.lives)))
        self.cancellations = dict((c.n, (id, c)) for id, c in map(shop.cancellation_of, cursor.fetchall()))
        cursor.execute("SELECT id, status FROM shop.orders")
        self.orders = dict(cursor.fetchall())
        self.changes = []
        if self.watched:
            cursor.execute("SELECT seq, xid::text::bigint, what, id, was, became FROM model.change WHERE seq > %s "
                           "ORDER BY seq", (self.change,))
            self.changes = cursor.fetchall()

    def round(self, cursor, told, heard, whole):
        """whole: the listener has heard all that there was."""
        self.read(cursor)
        self.check_changes()
        self.check_lives()
        self.check_told(told)
        self.check_heard(heard, whole)
        if self.events:
            self.event = self.events[-1][0]
        self.cancellation = max([self.cancellation, *self.cancellations])
        if self.changes:
            self.change = self.changes[-1][0]

    # ------------------------------------------------------------ the orders

    def check_changes(self):
        if not self.watched:
            return
        by_step = defaultdict(int)
        for _, _, id, e, xid, _, _ in self.events:
            by_step[id, xid, e.before, e.after] += 1
        seen = defaultdict(int)
        for seq, xid, what, id, was, became in self.changes:
            self.must(was == self.status.get(id), "order %s changes from %s where it was %s (change %s)", id, was,
                      self.status.get(id), seq)
            self.status[id] = became
            if what == "DELETE":
                self.moved.update(n for n, (order, c) in self.cancellations.items() if order == id)
            elif what == "UPDATE" and was != became:
                seen[id, xid, was, became] += 1
                # Not a step: moving on to a closed status and back, or reopening what was imported.
                canceled = {w for p in self.rules.policies.values() for w in (p.canceled, p.customer_canceled)}
                moves = became in self.reopen or (
                    self.closed & {was, became} and {was, became} <= self.closed | canceled)
                if not moves and (was in self.words or became in self.words):
                    self.must(by_step[id, xid, was, became] > 0,
                              "order %s went from %s to %s without an event (change %s)", id, was, became, seq)
        for (id, xid, was, became), n in by_step.items():
            self.must(was == became or seen[id, xid, was, became] >= n,
                      "an event says that order %s went from %s to %s: it did not", id, was, became)
        for id, status in self.orders.items():
            self.must(self.status.get(id) == status, "order %s is %s, its changes led to %s", id, status,
                      self.status.get(id))

    # ----------------------------------------------------- the cancellations

    def check_lives(self):
        ids = set()
        for event_id, n, id, e, _, order_key, role in self.events:
            ids.add(event_id)
            self.must(n in self.cancellations and self.cancellations[n][0] == id and order_key == str(id),
                      "event %s has no cancellation", event_id)
            state, refunded, status = self.lives.get(n, (None, 0, None))
            self.must((state, e.type, e.state) in STEPS, "event %s of cancellation %s: %s to %s from state %s",
                      event_id, n, e.type, e.state, state)
            if n not in self.cancellations:
                continue
            c = self.cancellations[n][1]
            before = c.prior if state is None else status
            closed = state == "canceled" and e.before in self.closed | self.words
            self.must(e.before == before or closed or n in self.moved or not self.watched,
                      "event %s of cancellation %s begins at %s, not at %s", event_id, n, e.before, before)
            self.must(e.type in ("undone", "withdrawn", "denied") or e.before == e.after or e.after in self.words,
                      "event %s, %s, led to status %s", event_id, e.type, e.after)
            self.must(role == "postgres" and e.party in ("customer", "merchant", "system"), "event %s by %s, %s",
                      event_id, role, e.party)
            if e.type == "refunded":
                data = dict(e.data)
                refunded += data["amount"]
                self.must(abs(float(refunded) - float(data["refunded"])) < 0.001, "event %s: refunded %s, not %s",
                          event_id, data["refunded"], refunded)
            self.lives[n] = (e.state, refunded, e.after)
        self.must(len(ids) == len(self.events), "an event id was given twice")

        live = defaultdict(list)
        for n, (id, c) in self.cancellations.items():
            state, refunded, status = self.lives.get(n, (None, 0, None))
            self.must(c.state == state, "cancellation %s is %s, its events led to %s", n, c.state, state)
            if state is None:
                continue
            self.must(abs(float(c.refunded or 0) - float(refunded)) < 0.001,
                      "cancellation %s: refunded %s, by its events %s", n, c.refunded, refunded)
            self.must((c.refunded or 0) <= max(c.due or 0, 0), "cancellation %s: refunded %s of %s", n, c.refunded,
                      c.due)
            self.must(c.state != "in_progress" or c.refunded < c.due, "cancellation %s is in progress, all is refunded",
                      n)
            self.must(c.state != "canceled" or (c.refunded or 0) == max(c.due or 0, 0),
                      "cancellation %s is canceled, %s of %s refunded", n, c.refunded, c.due)
            self.must((c.closed_at is None) == (c.state in ("requested", "in_progress")),
                      "cancellation %s is %s, closed at %s", n, c.state, c.closed_at)
            if c.state in LIVE:
                live[id].append(n)
                if id in self.orders:
                    now = self.orders[id]
                    closed = c.state == "canceled" and now in self.closed | self.words
                    self.must(now == status or closed or n in self.moved or not self.watched,
                              "order %s is %s, its cancellation %s left it at %s", id, now, n, status)
                    self.must(c.state != "canceled" or closed,
                              "order %s is %s, its cancellation %s is canceled", id, now, n)
            else:
                self.lives.pop(n)
                self.moved.discard(n)
        for id, ns in live.items():
            self.must(len(ns) == 1, "order %s has live cancellations %s", id, ns)
        open_words = {w for p in self.rules.policies.values() for w in (p.requested, p.in_progress) if w}
        for id, status in self.orders.items():
            self.must(status not in open_words or id in live, "order %s is %s, without a cancellation", id, status)

    # ---------------------------------------------------------- the clients

    def check_told(self, told):
        """Each change that a client was told of is there once; none that it was told is not."""
        by_actor = defaultdict(list)
        for event_id, n, id, e, _, _, _ in self.events:
            if e.source != "sweep":
                by_actor[(e.actor or "").rstrip("!")].append((event_id, n, id, e))
        groups = defaultdict(set)
        known = set()
        for actor, verb, id, fate, n, outcome, group in told:
            events = by_actor.get(actor, [])
            known.add(actor)
            if fate == "rolled_back":
                n = 0
            if fate == "perhaps":
                self.must(len(events) <= 4, "%s made %s events", actor, len(events))
            elif fate == "together":
                if n not in (0, "some"):
                    self.must(len(events) in (0, n), "%s made %s events of %s", actor, len(events), n)
                    groups[group].add(bool(events))
                elif n == 0:
                    self.must(not events, "%s %s was told no change, and made one", actor, verb)
            elif n == "some":
                self.must(len(events) <= 1, "plain write %s made %s events", actor, len(events))
            else:
                self.must(len(events) == n, "%s, %s of order %s, was told of %s events (%s), and there are %s", actor,
                          verb, id, n, fate, len(events))
            if outcome and fate in ("done", "committed") and outcome.changed and events:
                _, cancellation, order, e = events[-1]
                self.must((cancellation, order, e.state, e.after) == (outcome.n, id, outcome.state,
                                                                      outcome.order_status),
                          "%s was told %s, its event says %s", actor, outcome, e)
        for group, some in groups.items():
            self.must(len(some) == 1, "a transaction of client group %s was committed in part", group)
        if told:
            strangers = set(by_actor) - known
            self.must(not strangers, "events that no client made: %s", sorted(strangers)[:5])

    def check_heard(self, heard, whole):
        """Notifications are the committed events, each once, those of an order in their order."""
        events = {event_id: (id, e) for event_id, _, id, e, _, _, _ in self.events}
        seen = set()
        newest = {}
        for payload in heard:
            p = json.loads(payload)
            event_id = p["event_id"]
            self.must(event_id in events and event_id not in seen,
                      "event %s was announced, and is not there or not new", event_id)
            seen.add(event_id)
            if event_id not in events:
                continue
            id, e = events[event_id]
            got = (p["orders"], p["order_id"], p["type"], p["from"], p["to"], p["state"], p["party"], p["actor"],
                   {p["reason"]} & e.reason)
            self.must(got == ("shop.orders", str(id), e.type, e.before, e.after, e.state, e.party, e.actor, e.reason),
                      "event %s was announced as %s", event_id, payload)
            self.must(newest.get(id, 0) < event_id, "event %s of order %s was announced late", event_id, id)
            newest[id] = event_id
        if whole:
            missing = set(events) - seen
            self.must(not missing, "events that were not announced: %s", sorted(missing)[:5])

    def at_the_end(self, cursor):
        """What is asked of the whole history at once."""
        for what, sql in (
                ("request keys used twice",
                 "SELECT request_key FROM shop.orders_cancellation_event WHERE request_key IS NOT NULL"
                                            " GROUP BY 1 HAVING count(*) > 1"),
                ("cancellation ids given twice",
                 "SELECT cancellation_id FROM ordcancel.cancellation GROUP BY 1 HAVING count(*) > 1"),
                ("event ids given twice", "SELECT event_id FROM ordcancel.event GROUP BY 1 HAVING count(*) > 1"),
                ("cancellations without an event", "SELECT cancellation_id FROM shop.orders_cancellation EXCEPT"
                                                   " SELECT cancellation_id FROM shop.orders_cancellation_event"),
                ("states that are not their last event's",
                 "SELECT cancellation_id FROM shop.orders_cancellation AS c WHERE state <> (SELECT state FROM "
                 "shop.orders_cancellation_event AS e"
                 " WHERE e.cancellation_id = c.cancellation_id ORDER BY event_id DESC LIMIT 1)")):
            cursor.execute(sql + " LIMIT 3")
            rows = cursor.fetchall()
            self.must(not rows, "%s: %s", what, rows)
