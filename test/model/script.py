"""What the clients do: random operations, from a seed."""
from decimal import Decimal

import shop
from model import LIVE, Op, Said

NOTES = (None,) * 8 + ("a note",) * 8 + ("", "  \t", "x" * 255, "y" * 256, "z" * 2000, "z" * 2001)
KNOWN_REASONS = ("customer_changed_mind", "found_cheaper_price", "out_of_stock", "fraud", "other", "agreed")
STRANGE_REASONS = ("old", "request_timed_out", "no_such_reason", "")
PAID = (None, Decimal(0), Decimal(10), Decimal(10), Decimal(40), Decimal("25.50"), Decimal("99.99"))

# How often each is done, to an order in whatever state, and in one of these.
ALWAYS = {"request_cancel": 6, "cancel_order": 5, "override_cancel": 3, "withdraw_cancel": 3, "accept_cancel": 3,
          "deny_cancel": 3,
          "record_refund": 3, "undo_cancel": 4, "cancel_orders": 2, "cancel_options": 4, "update": 14, "save": 4,
          "touch": 5,
          "seller": 3, "insert": 2, "delete": 4}
MORE = {None: {"request_cancel": 20, "cancel_order": 12, "update": 8},
        "requested": {"withdraw_cancel": 6, "accept_cancel": 10, "deny_cancel": 8, "cancel_order": 8, "save": 5,
                      "undo_cancel": 3},
        "in_progress": {"record_refund": 50, "undo_cancel": 8},
        "canceled": {"undo_cancel": 45, "seller": 8, "delete": 4}}
WEIGHTS = {state: tuple(zip(*{v: n + MORE[state].get(v, 0) for v, n in ALWAYS.items()}.items()))
           for state in (None,) + LIVE}
MERCHANTS = ("cancel_order", "override_cancel", "accept_cancel", "deny_cancel", "record_refund", "undo_cancel",
             "cancel_orders")


class Script:
    """Operations on some orders. It is told what the orders are like, as far as anybody knows."""

    def __init__(self, rng, rules, ids, tag, now, race):
        self.rng = rng
        self.rules = rules
        self.ids = ids
        self.tag = tag
        self.now = now
        self.race = race            # keys are shared, no world is known
        self.count = 0
        self.rows = {}              # of orders, as somebody read them a while ago
        self.words = set.intersection(*({p.requested, p.in_progress, p.canceled, p.customer_canceled}
                                        for p in rules.policies.values())) - {None}

    def said(self, role):
        rng = self.rng
        self.count += 1
        reason = rng.choice(KNOWN_REASONS) if rng.random() < 0.3 else None
        note = rng.choice(NOTES[:-1]) if rng.random() < 0.2 else None     # a setting refuses the last one
        return Said(role, "%s.%d" % (self.tag, self.count), reason, note or None, self.now)

    def operation(self, world, said):
        rng = self.rng
        id = rng.choice(self.ids)
        o = world.orders.get(id) if world else None
        if o and not o.exists and rng.random() < 0.6:
            return self.insert(id)
        verbs, weights = WEIGHTS[o.live if o else rng.choice((None,) + LIVE)]
        verb, = rng.choices(verbs, weights)
        if said.role == "shopper" and verb in MERCHANTS and rng.random() < 0.8:
            verb = rng.choice(("request_cancel", "withdraw_cancel", "update", "save"))
        if rng.random() < 0.004 and verb != "insert":
            id, o = 9999, None
        if hasattr(self, verb):
            return getattr(self, verb)(id, o)
        actor = said.actor + "!" if rng.random() < 0.5 else None
        note = rng.choice(NOTES)
        if verb in ("request_cancel", "cancel_order", "override_cancel"):
            if verb == "override_cancel" and rng.random() < 0.8:
                note = "because"
            return Op(verb, id, self.reason(), note, actor, self.key(world, id))
        if verb == "undo_cancel":
            return Op(verb, id, note=note, actor=actor, settled=rng.choice((None, False, True, True)))
        if verb == "deny_cancel" and rng.random() < 0.7:
            note = "no"
        if verb == "accept_cancel":
            return Op(verb, id, self.reason() if rng.random() < 0.5 else None, note, actor)
        return Op(verb, id, note=note, actor=actor)

    def reason(self):
        r = self.rng.random()
        return None if r < 0.45 else self.rng.choice(KNOWN_REASONS if r < 0.93 else STRANGE_REASONS)

    def key(self, world, id):
        rng = self.rng
        if rng.random() > 0.15:
            return None
        if self.race and rng.random() < 0.7:
            return "%s key %d" % (self.tag.split(":")[0], rng.randrange(20))
        used = [k for k, use in (world.keys if world else {}).items() if use[0] == id or rng.random() < 0.05]
        return rng.choice(used) if used and rng.random() < 0.6 else "key %s.%d" % (self.tag, self.count)

    def record_refund(self, id, o):
        rng = self.rng
        last = o.last if o else None
        rest = (last.due or 0) - (last.refunded or 0) if last else rng.choice(PAID[2:])
        amount = rng.choice((rest, rest, (rest / 2).quantize(Decimal("0.01")), rest + 1, Decimal(5), Decimal(0),
                             Decimal(-3), None)
                            if isinstance(rest, Decimal) else (Decimal(5),))
        method = rng.choice(("card", "bank_transfer", "cash", "cash", "points", "points"))
        if rng.random() < 0.04:
            method = rng.choice(("gold", None))
        reference = None
        # The model does not know how refunds are taken back: the script names none.
        if amount is not None and amount < 0:
            reference = "no refund %s.%d" % (self.tag, self.count)
        if amount is not None and amount > 0 and method in self.rules.methods and rng.random() < 0.5:
            reference = "ref %s.%d" % (self.tag, self.count)
            if last and last.refunds and rng.random() < 0.3:
                m, a, reference = rng.choice(last.refunds)
                if rng.random() < 0.7:
                    method, amount = m, a
        return Op("record_refund", id, actor=None, amount=amount, method=method, reference=reference)

    def cancel_orders(self, id, o):
        rng = self.rng
        ids = rng.choices(self.ids, k=rng.randint(1, 4))
        if rng.random() < 0.2:
            ids += [rng.choice((None, "x", 9999, ids[0]))]
        return Op("cancel_orders", None, self.reason(), rng.choice(NOTES), ids=tuple(ids), abort=rng.random() < 0.3)

    def status(self, o):
        """For a plain update. Words that only others' policies have are left alone."""
        rng = self.rng
        r = rng.random()
        if o and o.last and r < 0.15:
            return o.last.prior if o.last.prior in shop.ORDINARY else "placed"
        if r < 0.6:
            return rng.choice(shop.ORDINARY)
        if o is None or self.race:
            return rng.choice(sorted(self.words))
        p = self.rules.policy(o)
        return rng.choice([w for w in (p.requested, p.in_progress, p.canceled, p.canceled, p.customer_canceled) if w])

    def placed_at(self, seller=None):
        """Often so that the window closes now, or a second before or after."""
        rng = self.rng
        if rng.random() < 0.5:
            return rng.choice((None, self.now - 600, self.now - 86400))
        p = self.rules.policies.get(seller, self.rules.policies["default"])
        return self.now - (p.grace or 1800) + rng.choice((-1, 0, 0, 1))

    def update(self, id, o):
        return Op("update", id, to=self.status(o))

    def touch(self, id, o):
        """Other columns than the status."""
        name = self.rng.choice(("paid", "hold", "placed_at"))
        value = {"paid": self.rng.choice(PAID),
                 "hold": self.rng.choice((None, None, None, "all", "customer", "merchant")),
                 "placed_at": self.placed_at(o and o.seller)}[name]
        return Op("update", id, values=((name, value),))

    def save(self, id, o):
        """Writes the whole row as it was read a while ago."""
        row = self.rows.get(id)
        if o and o.exists and o.status in shop.ORDINARY and (row is None or self.rng.random() < 0.3):
            self.rows[id] = row = (o.status, (("placed_at", o.placed_at), ("paid", o.paid), ("hold", o.hold)))
        if row is None:
            row = (self.rng.choice(shop.ORDINARY), (("paid", Decimal(10)), ("hold", None)))
        return Op("update", id, to=row[0], values=row[1])

    def seller(self, id, o):
        seller = self.rng.choice(shop.SELLERS + (None, "delta"))
        # A word of one policy may be judged in the orders of another: not here.
        if o is None or self.race:
            return self.touch(id, o)
        if o.exists:
            kinds = [self.rules.policies.get(s, self.rules.policies["default"]).kind(o.status)
                     for s in (o.seller, seller)]
            if kinds[0] != kinds[1] and not all(kinds):
                return self.touch(id, o)
        return Op("update", id, values=(("seller", seller),))

    def delete(self, id, o):
        return Op("delete", id)

    def insert(self, id, o=None):
        rng = self.rng
        seller = rng.choice(shop.SELLERS + (None,))
        values = (("seller", seller), ("placed_at", self.placed_at(seller)), ("paid", rng.choice(PAID)))
        p = self.rules.policies[seller or "default"]
        words = [w for w in (p.requested, p.in_progress, p.canceled) if w]
        return Op("insert", id, to=rng.choice(words if rng.random() < 0.15 else shop.ORDINARY), values=values)
