"""The life of a cancellation, as the design tells it. Pure: it knows no database.

A World is a set of orders and the request keys that were used. step() says what
an operation must answer and what the world is like then. Where the design leaves
two answers open it gives both.
"""
from dataclasses import dataclass, field, replace
from decimal import Decimal

LIVE = ("requested", "in_progress", "canceled")
BEGIN = ("request_cancel", "cancel_order", "override_cancel")
SQLSTATE = {
    "order_not_found": "OC002", "cancellation_forbidden": "OC003", "grace_period_over": "OC004",
    "cancellation_blocked": "OC005", "invalid_reason": "OC006", "no_open_cancellation": "OC007",
    "undo_not_allowed": "OC008", "refund_not_settled": "OC009", "invalid_refund": "OC010",
    "request_key_reused": "OC011"}
# Which functions the two roles may execute.
CUSTOMERS = ("request_cancel", "withdraw_cancel", "cancel_options")


@dataclass(frozen=True)
class Rule:
    customer: str = "forbid"
    customer_late: str = None
    merchant: str = "forbid"
    deletable: bool = False


@dataclass(frozen=True)
class Policy:
    name: str
    canceled: str
    requested: str = None
    in_progress: str = None
    customer_canceled: str = None
    grace: int = None
    hold: bool = False
    timeout: int = None
    on_timeout: str = None
    undo: str = "canceled"
    undo_window: int = None
    reason_required: bool = False
    closed: tuple = ()          # statuses of canceled orders, which remain canceled
    reopen: tuple = ()          # statuses with which a merchant undoes
    rules: dict = field(default_factory=dict, hash=False)

    def kind(self, status):
        """What the status means: of a cancellation, or ordinary (None)."""
        if status in (self.canceled, self.customer_canceled):
            return "canceled"
        if status is not None and status == self.in_progress:
            return "in_progress"
        if status is not None and status == self.requested:
            return "requested"
        return None


@dataclass(frozen=True)
class Reason:
    audience: str = "any"
    requires_note: bool = False
    requires_request: bool = False
    active: bool = True
    note_max: int = 2000


@dataclass
class Rules:
    """The configuration, and what probing has told of the extension at hand."""
    policies: dict
    reasons: dict
    methods: dict               # code: what an undo demands
    repeats_known: bool = False     # a refund's reference says that it is known already
    keeps: bool = False             # what an ended cancellation has paid back counts
    keeps_settled: bool = False     # even where the undo was said to be settled

    def policy(self, order):
        return self.policies.get(order.seller, self.policies["default"])


@dataclass(frozen=True)
class Cancellation:
    n: object                   # a name for it; the real id is the database's
    state: str
    asked_by: str
    asked_actor: str
    prior: str
    order_status: str
    policy: str
    requested_at: int
    decided_by: str = None
    decided_actor: str = None
    reason: frozenset = frozenset([None])   # those that it may have
    note: str = None
    decision_note: str = None
    undo_note: str = None
    key: str = None
    due: Decimal = None
    refunded: Decimal = None
    decided_at: int = None
    closed_at: int = None
    deadline: int = None
    refunds: tuple = ()         # (method, amount, reference)


@dataclass(frozen=True)
class Event:
    type: str
    state: str
    before: str
    after: str
    party: str
    actor: str
    reason: frozenset
    source: str
    key: str
    at: int
    data: tuple = ()


@dataclass(frozen=True)
class Order:
    id: int
    exists: bool = False
    status: str = None
    seller: str = None
    placed_at: int = None
    paid: Decimal = None
    hold: str = None            # a block: all, customer or merchant
    last: Cancellation = None   # the newest cancellation
    kept: Decimal = Decimal(0)
    ended: tuple = ()           # cancellations that ended since it was looked at
    events: tuple = ()          # events since then

    @property
    def live(self):
        return self.last.state if self.last and self.last.state in LIVE else None


@dataclass(frozen=True)
class Op:
    verb: str
    id: object = None
    reason: str = None
    note: str = None
    actor: str = None           # None: the setting
    key: str = None
    amount: Decimal = None
    method: str = None
    reference: str = None
    settled: bool = None
    to: str = None              # a plain update's status
    values: tuple = ()          # ((column, value), …) of a plain write
    ids: tuple = ()
    abort: bool = False


@dataclass(frozen=True)
class Said:
    """By whom, and when."""
    role: str                   # clerk (both parties) or shopper (a customer)
    actor: str                  # the settings
    reason: str
    note: str
    now: int

    @property
    def party(self):
        return "merchant" if self.role == "clerk" else "customer"


@dataclass(frozen=True)
class Outcome:
    n: object
    state: str
    order_status: str
    changed: bool
    due: Decimal = None
    refunded: Decimal = None
    requested_at: int = None
    decided_at: int = None
    closed_at: int = None


@dataclass(frozen=True)
class Failure:
    sqlstate: str
    constraint: str = None


@dataclass(frozen=True)
class Verdict:
    state: str
    type: str = None            # None: it is so already
    status: str = None          # None: it stays
    accepts: bool = False


class World:
    def __init__(self, orders, keys=None):
        self.orders = orders
        self.keys = keys or {}

    def put(self, order, key=None, use=None):
        world = World({**self.orders, order.id: order}, self.keys)
        if key is not None:
            world.keys = {**self.keys, key: use}
        return world


class Refused(Exception):
    def __init__(self, condition):
        super().__init__(condition)
        self.condition = condition


counter = 0


def new_name():
    global counter
    counter += 1
    return "new %d" % counter


# ---------------------------------------------------------------- the decision

def due_of(rules, o):
    if o.paid is None:
        return None
    return o.paid - o.kept if rules.keeps else o.paid


def came_canceled(rules, o):
    return o.live is None and rules.policy(o).kind(o.status) == "canceled"


def blocked(o, party):
    return o.hold == "all" or o.hold == ("customer" if party == "customer" else "merchant")


def note_length(note):
    return len(note.strip(" \t\r\n")) if note else 0


def check_words(rules, o, verb, party, words):
    """Reason and note; words is None where they are not known yet."""
    if words is None:
        return
    reason, note = words
    needed = verb == "override_cancel" or (verb == "deny_cancel" and party != "system")
    longest = 2000
    takes_reason = verb in BEGIN + ("accept_cancel",) and party != "system"
    if takes_reason and reason is not None:
        r = rules.reasons.get(reason)
        asked = party == "customer" or (o.live == "requested" and o.last.asked_by == "customer")
        if r is None or not r.active or r.audience not in ("any", party) or (r.requires_request and not asked):
            raise Refused("invalid_reason")
        needed = needed or r.requires_note
        longest = min(longest, r.note_max)
    elif takes_reason and rules.policy(o).reason_required and not (o.live and o.last.reason != frozenset([None])):
        raise Refused("invalid_reason")
    if (needed and note_length(note) == 0) or note_length(note) > longest:
        raise Refused("invalid_reason")


def agreed(rules, o, customer_alone, paid=False):
    """Both sides agree: canceled, or in progress while money is due."""
    p = rules.policy(o)
    due = due_of(rules, o)
    if not paid and due is not None and due > 0:
        return Verdict("in_progress", "accepted", p.in_progress)
    return Verdict("canceled", "canceled", p.customer_canceled if customer_alone and p.customer_canceled
                   else p.canceled)


def begin(rules, o, verb, party, now, words):
    p = rules.policy(o)
    if o.live in ("in_progress", "canceled"):
        return Verdict(o.live)
    if came_canceled(rules, o):
        return Verdict("canceled")
    if o.live == "requested" and party == "customer":
        return Verdict("requested")
    rule = p.rules.get(o.status)
    late = party == "customer" and p.grace is not None and o.placed_at is not None and now > o.placed_at + p.grace
    if verb == "override_cancel" or o.live == "requested":
        mode = "cancel"
    elif rule is None:
        mode = "forbid"
    elif party == "merchant":
        mode = rule.merchant
    else:
        mode = (rule.customer_late or rule.customer) if late else rule.customer
    if mode == "forbid":
        raise Refused("grace_period_over" if late and rule and rule.customer != "forbid" else "cancellation_forbidden")
    if verb != "override_cancel" and blocked(o, party):
        raise Refused("cancellation_blocked")
    check_words(rules, o, verb, party, words)
    if mode == "request":
        return Verdict("requested", "requested", p.requested)
    return replace(agreed(rules, o, party == "customer"), accepts=o.live == "requested")


def back(rules, o, state):
    """The order gets its prior status, unless it has moved on: a status that is
    another word for what the cancellation is in is no move."""
    p = rules.policy(o)
    stays = o.status == o.last.order_status or (o.status is not None and p.kind(o.status) == o.last.state)
    return Verdict(state, state, o.last.prior if stays else None)


def withdraw(rules, o, verb, party, now, words):
    if o.live is None and o.last and o.last.state == "withdrawn":
        return Verdict("withdrawn")
    if o.live != "requested":
        raise Refused("no_open_cancellation")
    if o.last.asked_by != party:
        raise Refused("cancellation_forbidden")
    check_words(rules, o, verb, party, words)
    return back(rules, o, "withdrawn")


def accept(rules, o, verb, party, now, words):
    if o.live in ("in_progress", "canceled"):
        return Verdict(o.live)
    if o.live != "requested":
        raise Refused("no_open_cancellation")
    if blocked(o, party):
        raise Refused("cancellation_blocked")
    check_words(rules, o, verb, party, words)
    return replace(agreed(rules, o, False), accepts=True)


def deny(rules, o, verb, party, now, words):
    if o.live is None and o.last and o.last.state == "denied":
        return Verdict("denied")
    if o.live != "requested":
        raise Refused("no_open_cancellation")
    if o.last.asked_by == party:
        raise Refused("cancellation_forbidden")
    check_words(rules, o, verb, party, words)
    return back(rules, o, "denied")


def undo(rules, o, verb, party, now, words, settled=False):
    reach = ("never",) + LIVE
    p = rules.policy(o)
    if o.live is None:
        denied = o.last and o.last.state == "denied" and o.last.undo_note is not None
        if o.last and (denied or o.last.state in ("undone", "withdrawn")) and not came_canceled(rules, o):
            return Verdict(o.last.state)
        raise Refused("undo_not_allowed")
    if reach.index(p.undo) < reach.index(o.live):
        raise Refused("undo_not_allowed")
    if p.undo_window is not None and o.last.closed_at is not None and now > o.last.closed_at + p.undo_window:
        raise Refused("undo_not_allowed")
    if not settled and any(rules.methods[m] != "nothing" for m, _, _ in o.last.refunds):
        raise Refused("refund_not_settled")
    if o.live == "requested" and o.last.asked_by != party:
        check_words(rules, o, "deny_cancel", party, words)
        return back(rules, o, "denied")
    check_words(rules, o, verb, party, words)
    return back(rules, o, "withdrawn" if o.live == "requested" else "undone")


DECIDES = {"request_cancel": begin, "cancel_order": begin, "override_cancel": begin, "withdraw_cancel": withdraw,
           "accept_cancel": accept, "deny_cancel": deny, "undo_cancel": undo}


def refund(rules, o, op):
    """The answers that are open for a refund, as verdicts and conditions."""
    last = o.last
    if op.amount is not None and op.amount < 0:     # takes back a refund: the script names none
        return [Refused("invalid_refund")]
    known = [r for r in last.refunds if r[2] == op.reference] if last and op.reference is not None else []
    if o.live != "in_progress":
        answers = [Refused("no_open_cancellation")]
        if known and rules.repeats_known:
            answers += [Verdict(last.state), Refused("invalid_refund")]
        return answers
    if op.amount is None or op.amount <= 0 or op.method not in rules.methods:
        return [Refused("invalid_refund")]
    if known and rules.repeats_known:
        same = (op.method, op.amount, op.reference) in known
        return [Verdict("in_progress")] if same else [Refused("invalid_refund")]
    total = (last.refunded or 0) + op.amount
    if total > last.due:
        return [Refused("invalid_refund")]
    if total < last.due:
        return [Verdict("in_progress", "refunded")]
    direct = last.asked_by == "customer" and last.decided_by == "customer"
    return [agreed(rules, o, direct, paid=True)]


# -------------------------------------------------------------- what it leaves

def carry_out(rules, o, v, verb, party, actor, source, now, reason=None, note=None, key=None, op=None, to=None):
    """The order after a verdict that changes it; to is what a plain update wrote."""
    last = o.last if o.live else None
    note = note if note_length(note) else None
    status = to if to is not None else v.status if v.status is not None else o.status
    p = rules.policy(o)
    data = ()
    refunded = verb == "record_refund"
    if last is None:
        c = Cancellation(n=new_name(), state=v.state, asked_by=party, asked_actor=actor, prior=o.status,
                         order_status=status, policy=p.name, requested_at=now, reason=frozenset([reason]), note=note,
                         key=key)
        if v.state == "requested" and p.timeout is not None:
            c = replace(c, deadline=now + p.timeout)
    else:
        c = replace(last, state=v.state, order_status=status)
        if verb == "undo_cancel":
            c = replace(c, undo_note=note)
        elif not refunded:
            c = replace(c, decision_note=note)
        if v.accepts and reason is not None and (party != "system" or c.reason == frozenset([None])):
            c = replace(c, reason=frozenset([reason]))
    if v.accepts or v.state == "denied" or (last is None and v.state != "requested"):
        c = replace(c, decided_by=party, decided_actor=actor, decided_at=now)
    if v.accepts or (last is None and v.state != "requested"):
        due = due_of(rules, o)
        c = replace(c, due=due, refunded=Decimal(0) if due is not None and due > 0 else None)
    if refunded:
        c = replace(c, refunded=(c.refunded or 0) + op.amount,
                    refunds=c.refunds + ((op.method, op.amount, op.reference),))
    if v.state not in ("requested", "in_progress"):
        c = replace(c, closed_at=now)

    if verb == "override_cancel":
        data += (("override", True),)
    if v.type == "denied" and verb == "move":
        data += (("implicit", True), ("moved_to", status))
    if v.type == "accepted":
        data += (("refund_due", c.due),)
    said = frozenset([reason]) if reason is not None else c.reason
    events = ()
    if refunded:
        paid = (("amount", op.amount), ("method", op.method), ("reference", op.reference), ("refunded", c.refunded),
                ("refund_due", c.due))
        events += (Event("refunded", "in_progress", o.status, o.status, party, actor, said, source, key, now, paid),)
    settled = op is not None and op.settled
    if v.type == "undone" and settled:
        data += (("settled", True),)
    if v.type != "refunded":
        events += (Event(v.type, v.state, o.status, status, party, actor, said, source, None if refunded else key, now,
                         data),)
    kept = o.kept
    if v.state == "undone" and (rules.keeps_settled or not settled):
        kept += sum(a for m, a, _ in c.refunds if rules.methods[m] == "nothing")
    gone = (o.last,) if last is None and o.last else ()
    return replace(o, status=status, last=c, kept=kept, ended=o.ended + gone, events=o.events + events)


def outcome(o, changed, state=None):
    c = o.last
    if c is None or (not changed and c.state != state):
        return Outcome(None, state, o.status, changed)
    return Outcome(c.n, c.state, o.status, changed, c.due, c.refunded, c.requested_at, c.decided_at, c.closed_at)


# ------------------------------------------------------------------- functions

def call(rules, world, op, said):
    """A function for one order. Returns the answers that are open, each with its world."""
    o = world.orders.get(op.id)
    actor = op.actor if op.actor is not None else said.actor
    if o is None or not o.exists:
        return [(Failure("OC002"), world)]
    if op.key is not None and op.key in world.keys:
        id, verb, first = world.keys[op.key]
        return [(first if (id, verb) == (op.id, op.verb) else Failure("OC011"), world)]
    party = {"request_cancel": "customer", "withdraw_cancel": said.party}.get(op.verb, "merchant")
    if op.verb == "withdraw_cancel" and said.role == "clerk" and o.live == "requested":
        party = o.last.asked_by
    words = (op.reason, op.note)
    if op.verb == "record_refund":
        verdicts = refund(rules, o, op)
    else:
        more = {"settled": bool(op.settled)} if op.verb == "undo_cancel" else {}
        try:
            verdicts = [DECIDES[op.verb](rules, o, op.verb, party, said.now, words, **more)]
        except Refused as why:
            verdicts = [why]
    answers = []
    for v in verdicts:
        if isinstance(v, Refused):
            answers.append((Failure(SQLSTATE[v.condition]), world))
        elif v.type is None:
            answers.append((outcome(o, False, v.state), world))
        else:
            after = carry_out(rules, o, v, op.verb, party, actor, op.verb, said.now, op.reason, op.note, op.key, op)
            told = outcome(after, True)
            first = replace(told, changed=False)
            answers.append((told, world.put(after, op.key, (op.id, op.verb, first))))
    return answers


def cancel_orders(rules, world, op, said):
    rows = {}
    after = world
    order = sorted({i for i in op.ids if isinstance(i, int)})
    for id in order:
        one = Op("cancel_order", id=id, reason=op.reason, note=op.note, actor=op.actor)
        (answer, then), = call(rules, after, one, said)
        if isinstance(answer, Failure):
            rows[id] = ("refused", None, answer.sqlstate)
        else:
            rows[id] = (answer.state if answer.changed else "already", answer.n, None)
            if answer.changed:
                o = then.orders[id]
                o = replace(o, events=o.events[:-1] + (replace(o.events[-1], source="cancel_orders"),))
                then = then.put(o)
        after = then
    seen = set()
    answer = []
    for id in op.ids:
        what, n, sqlstate = rows.get(id, ("refused", None, "OC002"))
        if id in seen and what != "refused":
            what = "already"
        seen.add(id)
        answer.append((None if id is None else str(id), what, n, sqlstate))
    refused = [r for r in answer if r[1] == "refused"]
    if op.abort and refused:
        unread = any(not isinstance(i, int) for i in op.ids)
        return [(Failure("OC002" if unread else next(rows[i][2] for i in order if rows[i][2])), world)]
    return [(tuple(answer), after)]


def cancel_options(rules, world, op, said):
    o = world.orders.get(op.id)
    if o is None or not o.exists:
        return [(Failure("OC002"), world)]
    rows = {}
    for party, verb in [("customer", "request_cancel"), ("customer", "withdraw_cancel"), ("merchant", "cancel_order"),
                        ("merchant", "withdraw_cancel"), ("merchant", "accept_cancel"), ("merchant", "deny_cancel"),
                        ("merchant", "record_refund"), ("merchant", "undo_cancel"), ("merchant", "override_cancel")]:
        try:
            if verb == "record_refund":
                if o.live != "in_progress":
                    raise Refused("no_open_cancellation")
                v = Verdict("in_progress", "refunded")
            else:
                v = DECIDES[verb](rules, o, verb, party, said.now, None)
            due = None
            if v.type and v.state in ("in_progress", "canceled"):
                due = o.last.due if verb == "record_refund" else due_of(rules, o)
                due = due if due is None else max(due, Decimal(0))
            rows[party, verb] = (True, v.state if v.type else "already", None, due)
        except Refused as why:
            rows[party, verb] = (False, "refused", why.condition, None)
            if verb == "undo_cancel" and why.condition == "refund_not_settled":
                rows[party, verb] = (True, undo(rules, o, verb, party, said.now, None, settled=True).state,
                                     why.condition, None)
    return [(rows, world)]


def sweep(rules, world, now, ids=None):
    """What the system decides; its answer is nothing."""
    for o in list(world.orders.values()):
        p = rules.policy(o)
        if not o.exists or o.live != "requested" or p.timeout is None:
            continue
        if o.last.deadline is None or o.last.deadline > now:
            continue
        verb = "accept_cancel" if p.on_timeout == "accept" else "deny_cancel"
        try:
            v = DECIDES[verb](rules, o, verb, "system", now, (None, None))
        except Refused:
            continue
        world = world.put(carry_out(rules, o, v, verb, "system", "sweep", "sweep", now, reason="request_timed_out"))
    return world


# ----------------------------------------------------------------- plain writes

def remains_canceled(p, o, to):
    """A closed status, or from there the one that the cancellation gave."""
    if o.live == "in_progress":
        return False
    if to in p.closed:
        return True
    alone = o.live and o.last.asked_by == "customer" and o.last.decided_by == "customer"
    return o.status in p.closed and to == ((p.customer_canceled if alone else None) or p.canceled)


def judge_update(rules, o, to, said):
    """A plain change of status: the order after it, but for its other columns."""
    p = rules.policy(o)
    kind = p.kind(to)
    common = dict(party=said.party, actor=said.actor, source="update", now=said.now)
    if to == o.status:
        return o
    if o.live in ("in_progress", "canceled") or came_canceled(rules, o):
        if remains_canceled(p, o, to):
            return replace(o, status=to, last=replace(o.last, order_status=to) if o.live else o.last)
        if to in p.reopen and said.party == "merchant":
            if not o.live:
                return replace(o, status=to)
            v = undo(rules, o, "undo_cancel", said.party, said.now, (None, said.note))
            return carry_out(rules, o, v, "undo_cancel", note=said.note, to=to, **common)
        raise Refused("refund_not_settled" if o.live == "in_progress" and kind == "canceled" else "order_is_canceled")
    if kind is None:
        if o.live != "requested":
            return replace(o, status=to)
        if p.hold or to == o.last.prior:
            raise Refused("order_on_hold")
        return carry_out(rules, o, Verdict("denied", "denied"), "move", to=to, **common)

    verb = "cancel_order" if said.party == "merchant" else "request_cancel"
    v = begin(rules, o, verb, said.party, said.now, (said.reason, said.note))
    if v.type is not None and v.status == to:
        return carry_out(rules, o, v, verb, reason=said.reason, note=said.note, to=to, **common)
    if v.type is not None and v.state == "in_progress" and kind == "canceled":
        raise Refused("refund_not_settled")
    raise Refused("cancellation_forbidden")


def update(rules, world, op, said):
    o = world.orders.get(op.id)
    if o is None or not o.exists:
        return [(0, world)]
    values = dict(op.values)
    try:
        if "seller" in values:
            other = replace(o, seller=values["seller"])
            if rules.policy(o).kind(o.status) != rules.policy(other).kind(o.status):
                raise Refused("cancellation_forbidden")
        after = judge_update(rules, o, op.to, said) if op.to is not None else o
    except Refused as why:
        return [(Failure("23514", why.condition), world)]
    return [(1, world.put(replace(after, **values)))]


def insert(rules, world, op, said):
    o = world.orders.get(op.id)
    if o is None or o.exists:
        return [(Failure("23505", "orders_pkey"), world)]
    row = {"seller": None, "placed_at": None, "paid": None, "hold": None, **dict(op.values)}
    new = replace(o, exists=True, status=op.to, **row)
    kind = rules.policy(new).kind(op.to)
    if kind in ("requested", "in_progress"):
        return [(Failure("23514", "cancellation_forbidden"), world)]
    if o.live == "canceled" and op.to in rules.policy(new).closed:
        return [(1, world.put(replace(new, last=replace(o.last, order_status=op.to))))]
    if o.live and kind != "canceled":
        return [(Failure("23514", "order_is_canceled"), world)]
    return [(1, world.put(new))]


def delete(rules, world, op, said):
    o = world.orders.get(op.id)
    if o is None or not o.exists:
        return [(0, world)]
    rule = rules.policy(o).rules.get(o.status)
    if o.live in ("requested", "in_progress") or rule is None or not rule.deletable:
        return [(Failure("23514", "cancellation_forbidden"), world)]
    return [(1, world.put(replace(o, exists=False)))]


WRITES = {"update": update, "insert": insert, "delete": delete}


def step(rules, world, op, said):
    """[(answer, world)]: what the operation may answer, and the world then."""
    if op.verb in WRITES:
        return WRITES[op.verb](rules, world, op, said)
    if said.role == "shopper" and op.verb not in CUSTOMERS:
        return [(Failure("42501"), world)]
    if op.verb == "cancel_orders":
        return cancel_orders(rules, world, op, said)
    if op.verb == "cancel_options":
        return cancel_options(rules, world, op, said)
    return call(rules, world, op, said)
