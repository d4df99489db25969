"""The shop that the model is compared with: its rules, its SQL, its rows."""
import calendar
import datetime
import random
from decimal import Decimal

import psycopg2

import model
from model import Cancellation, Event, Order, Outcome, Policy, Reason, Rule, Rules

ORDERS = 200
ORDINARY = ("draft", "placed", "packed", "shipped")
WORDS = ("asked", "refunding", "canceled", "customer_canceled")
SELLERS = ("alpha", "beta", "gamma")        # and those of whom no policy is
START = calendar.timegm((2026, 3, 2, 10, 0, 0))

REASONS = {
    "agreed": Reason(requires_request=True), "old": Reason(active=False),
    "customer_changed_mind": Reason(), "found_cheaper_price": Reason("customer"), "out_of_stock": Reason("merchant"),
    "fraud": Reason("merchant"), "request_timed_out": Reason("system"), "other": Reason("any", True, False, True, 255)}
METHODS = {"card": "recapture", "bank_transfer": "repay", "cash": "nothing", "points": "nothing"}

HELPERS = """
CREATE ROLE clerk; CREATE ROLE shopper;
"""

SCHEMA = """
CREATE EXTENSION ordcancel;
CREATE SCHEMA shop;
CREATE TABLE shop.orders (id int PRIMARY KEY, status text NOT NULL, seller text, placed_at timestamptz,
                          paid numeric, hold text);
INSERT INTO ordcancel.reason (code, requires_request, active) VALUES ('agreed', true, true), ('old', false, false);
CREATE SCHEMA model;
CREATE TABLE model.change (seq bigserial PRIMARY KEY, xid xid8 DEFAULT pg_current_xact_id(), what text, id int,
                           was text, became text);
CREATE FUNCTION model.watch() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO model.change (what, id, was, became) VALUES (TG_OP, coalesce(NEW.id, OLD.id), OLD.status, NEW.status);
    RETURN NULL;
END $$;

-- One operation in a savepoint; what it answered, or how it failed.
CREATE FUNCTION model.attempt(statement text, actor text, reason text, note text, undo boolean) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    answer text;
    name text;
BEGIN
    PERFORM set_config('ordcancel.actor', actor, true), set_config('ordcancel.reason', reason, true),
            set_config('ordcancel.note', note, true);
    BEGIN
        IF statement ~ '^CALL' THEN
            EXECUTE statement;
        ELSE
            EXECUTE statement INTO answer;
        END IF;
        IF undo THEN
            RAISE SQLSTATE 'MODEL';
        END IF;
    EXCEPTION WHEN OTHERS THEN
        IF SQLSTATE <> 'MODEL' THEN
            GET STACKED DIAGNOSTICS name = CONSTRAINT_NAME;
            RETURN format('!%s|%s|%s', SQLSTATE, name, SQLERRM);
        END IF;
    END;
    RETURN '=' || coalesce(answer, '');
END $$;

-- Several, in the transaction at hand.
CREATE FUNCTION model.several(statements text[], actors text[], reasons text[], notes text[], undos boolean[])
    RETURNS text[] LANGUAGE plpgsql AS $$
DECLARE
    answers text[] := '{}';
BEGIN
    FOR i IN 1 .. cardinality(statements) LOOP
        answers := answers || model.attempt(statements[i], actors[i], reasons[i], notes[i], undos[i]);
    END LOOP;
    RETURN answers;
END $$;

-- Several, each in a transaction of its own.
CREATE PROCEDURE model.chain(statements text[], actors text[], reasons text[], notes text[], undos boolean[],
                             INOUT answers text[]) LANGUAGE plpgsql AS $$
BEGIN
    answers := '{}';
    FOR i IN 1 .. cardinality(statements) LOOP
        answers := answers || model.attempt(statements[i], actors[i], reasons[i], notes[i], undos[i]);
        COMMIT;
    END LOOP;
END $$;
GRANT USAGE ON SCHEMA shop, model TO clerk, shopper;
GRANT SELECT, INSERT, UPDATE, DELETE ON shop.orders TO clerk, shopper;
SELECT ordcancel.grant_merchant('clerk'), ordcancel.grant_customer('clerk'), ordcancel.grant_customer('shopper');
GRANT EXECUTE ON FUNCTION ordcancel.override_cancel(regclass, text, text, text, text, text, jsonb, numeric),
    ordcancel.override_cancel(regclass, anynonarray, text, text, text, text, jsonb, numeric) TO clerk;
GRANT EXECUTE ON PROCEDURE ordcancel.sweep() TO clerk;
SELECT ordcancel.attach('shop.orders', status => 'status', placed_at => 'placed_at', policy_by => 'seller',
                        refund_due => 'paid');
SELECT ordcancel.add_block('shop.orders', 'all', $$hold = 'all'$$),
       ordcancel.add_block('shop.orders', 'customer', $$hold = 'customer'$$, party => 'customer'),
       ordcancel.add_block('shop.orders', 'merchant', $$hold = 'merchant'$$, party => 'merchant');
"""
# What of a reason or method is not the model's stays what it is; these are.
WATCH = ("CREATE TRIGGER watch AFTER INSERT OR UPDATE OF status OR DELETE ON shop.orders FOR EACH ROW "
         "EXECUTE FUNCTION model.watch()")


def quoted(value):
    """A literal. Times are integers, seconds since 1970."""
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, Decimal)):
        return str(value)
    return "'" + value.replace("'", "''") + "'"


def instant(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M:%S+00")


def column(name, value):
    if name == "placed_at" and value is not None:
        return "'" + instant(value) + "'"
    return quoted(value)


# ------------------------------------------------------------------- the rules

def random_policy(rng, name):
    modes = ("cancel", "cancel", "request", "request", "forbid")
    rules = {}
    for status in ORDINARY + WORDS:
        if rng.random() < 0.15:
            continue
        rules[status] = Rule(rng.choice(modes), rng.choice(modes + (None, None)), rng.choice(modes),
                             rng.random() < (0.6 if status in ("draft", "packed") else 0.2))
    timeout = rng.choice((None, 3600, 7200))
    return Policy(name, canceled="canceled", requested=rng.choice(("asked", "asked", None)),
                  in_progress=rng.choice(("refunding", "refunding", None)),
                  customer_canceled=rng.choice(("customer_canceled", None)), grace=rng.choice((None, 1800, 5400)),
                  hold=rng.random() < 0.4, timeout=timeout, on_timeout=timeout and rng.choice(("accept", "deny")),
                  undo=rng.choice(("canceled", "canceled", "canceled", "in_progress", "requested", "never")),
                  undo_window=rng.choice((None, None, 7200)), reason_required=rng.random() < 0.25,
                  closed=rng.choice(((), ("shipped",), ("packed", "shipped"))),
                  reopen=rng.choice(((), ("draft",), ("draft", "placed"))), rules=rules)


def random_rules(rng, probed):
    policies = {name: random_policy(rng, name) for name in SELLERS}
    # One policy at least lets orders go round.
    easy = {s: Rule("request", "request", "cancel", s == "draft") for s in ORDINARY}
    policies["default"] = Policy("default", canceled="canceled", requested="asked", in_progress="refunding",
                                 timeout=3600,
                                 on_timeout="accept", rules={**easy, "packed": Rule("cancel", "forbid", "request")},
                                 grace=1800, hold=rng.random() < 0.3, closed=rng.choice(((), ("packed",))),
                                 reopen=rng.choice(((), ("draft",))))
    return Rules(policies, REASONS, METHODS, **probed)


def set_rules(rules):
    """The calls that make them. default comes last, since others may begin as its copy."""
    for name in SELLERS + ("default",):
        p = rules.policies[name]
        words = dict(policy=name, requested_status=p.requested, in_progress_status=p.in_progress,
                     canceled_status=p.canceled,
                     customer_canceled_status=p.customer_canceled, on_progress="hold" if p.hold else "deny",
                     on_timeout=p.on_timeout, undo=p.undo, reason_required=p.reason_required)
        spans = dict(grace=p.grace, decision_timeout=p.timeout, undo_window=p.undo_window)
        words.update(closed_statuses="{%s}" % ",".join(p.closed), reopen_statuses="{%s}" % ",".join(p.reopen))
        words.update({k: v and "%d seconds" % v for k, v in spans.items()})
        yield "SELECT ordcancel.set_policy('shop.orders', %s)" % ", ".join(
            "%s => %s" % (k, quoted(v)) for k, v in words.items() if v is not None)
        for status, r in p.rules.items():
            args = dict(customer=r.customer, customer_late=r.customer_late, merchant=r.merchant, deletable=r.deletable)
            yield "SELECT ordcancel.set_rule('shop.orders', %s, policy => %s, %s)" % (
                quoted(status), quoted(name),
                ", ".join("%s => %s" % (k, quoted(v)) for k, v in args.items() if v is not None))


def all_words(rules):
    """Statuses that mean something in some policy."""
    return {s for p in rules.policies.values() for s in (p.requested, p.in_progress, p.canceled, p.customer_canceled)
            if s}


# ------------------------------------------------------------------ operations

def statement(op, spelling):
    """SQL that returns one text. spelling picks one of the ways to write it."""
    if op.verb in ("update", "insert", "delete"):
        values = ([("status", op.to)] if op.to is not None else []) + list(op.values)
        if op.verb == "update":
            return "UPDATE shop.orders SET %s WHERE id = %s RETURNING '1'" % (
                ", ".join("%s = %s" % (k, column(k, v)) for k, v in values), op.id)
        if op.verb == "delete":
            return "DELETE FROM shop.orders WHERE id = %s RETURNING '1'" % op.id
        return "INSERT INTO shop.orders (id, %s) VALUES (%s, %s) RETURNING '1'" % (
            ", ".join(k for k, _ in values), op.id, ", ".join(column(k, v) for k, v in values))
    if op.verb == "sweep":
        return "CALL ordcancel.sweep()"
    args = [(k, getattr(op, k)) for k in ("reason", "note", "actor", "method", "reference", "settled")]
    args = ", ".join("%s => %s" % (k, quoted(v)) for k, v in args if v is not None)
    if op.key is not None:
        args += ", request_key => " + quoted(op.key)
    if op.verb == "record_refund":
        args = "amount => %s%s" % (quoted(op.amount), args and ", " + args)
        args += "" if op.method is not None else ", method => NULL"
    if op.verb == "deny_cancel" and op.note is None:
        args += ", note => NULL"
    args = ", " + args.lstrip(", ") if args else ""
    if op.verb == "cancel_orders":
        ids = "{%s}" % ",".join("NULL" if i is None else str(i) for i in op.ids)
        return ("SELECT string_agg(format('%%s/%%s/%%s/%%s', order_id, outcome, cancellation_id, sqlstate), ' ')"
                " FROM ordcancel.cancel_orders('shop.orders', '%s'%s%s)"
                % (ids, args, ", on_error => 'abort'" if op.abort else ""))
    id = quoted(op.id) if spelling else "'%s'" % op.id
    if op.verb == "cancel_options":
        return ("SELECT string_agg(format('%%s/%%s/%%s/%%s/%%s/%%s', party, verb, allowed, outcome, condition, "
                "refund_due), ' ')"
                " FROM ordcancel.cancel_options('shop.orders', %s)" % id)
    return ("SELECT format('%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s|%%s', cancellation_id, state, order_status, changed, "
            "refund_due, refunded,"
            " extract(epoch from requested_at)::bigint, extract(epoch from decided_at)::bigint, extract(epoch from "
            "closed_at)::bigint)"
            " FROM ordcancel.%s('shop.orders', %s%s)" % (op.verb, id, args))


def number(text):
    return Decimal(text) if text else None


def whole(text):
    return int(text) if text else None


def read_answer(op, text):
    """What model.attempt said, in the model's words."""
    if text.startswith("!"):
        sqlstate, constraint, message = text[1:].split("|", 2)
        return model.Failure(sqlstate, constraint or None), message
    text = text[1:]
    if op.verb in ("update", "insert", "delete"):
        return int(text or 0), None
    if op.verb == "sweep":
        return None, None
    if op.verb == "cancel_orders":
        rows = [row.split("/") for row in text.split()]
        return tuple((i or None, what, whole(n), sqlstate or None) for i, what, n, sqlstate in rows), None
    if op.verb == "cancel_options":
        rows = [row.split("/") for row in text.split()]
        return {(p, v): (ok == "t", what, condition or None, number(due)) for p, v, ok, what, condition,
                due in rows}, None
    f = text.split("|")
    return Outcome(whole(f[0]), f[1], f[2] or None, f[3] == "t", number(f[4]), number(f[5]), whole(f[6]), whole(f[7]),
                   whole(f[8])), None


# ------------------------------------------------------------------------ rows

CANCELLATION = ("cancellation_id, order_id, state, requested_by, requested_actor, prior_status, order_status, policy,"
                " extract(epoch from requested_at)::bigint, decided_by, decided_actor, reason, note, decision_note, "
                "undo_note,"
                " request_key, refund_due, refunded, extract(epoch from decided_at)::bigint, extract(epoch from "
                "closed_at)::bigint,"
                " extract(epoch from deadline)::bigint")
EVENT = ("event_id, cancellation_id, order_id, type, state, from_status, to_status, party, actor, reason, source, "
         "request_key,"
         " extract(epoch from at)::bigint, data, xid::text::bigint, session_role, order_key")


def cancellation_of(row):
    return row[1], Cancellation(row[0], *row[2:11], frozenset([row[11]]), *row[12:])


def event_of(row):
    data = tuple(sorted((row[13] or {}).items()))
    return Event(*row[3:9], frozenset([row[9]]), row[10], row[11], row[12], data)


def load(cursor, rules, ids):
    """The world of these orders as the database has it."""
    cursor.execute("SELECT id, status, seller, extract(epoch from placed_at)::bigint, paid, hold FROM shop.orders"
                   " WHERE id = ANY (%s)", (ids,))
    orders = {i: Order(i) for i in ids}
    for row in cursor.fetchall():
        orders[row[0]] = Order(row[0], True, *row[1:])
    cursor.execute("SELECT c.* FROM unnest(%%s) AS i CROSS JOIN LATERAL (SELECT %s FROM shop.orders_cancellation"
                   " WHERE order_id = i ORDER BY cancellation_id DESC LIMIT 1) AS c" % CANCELLATION, (ids,))
    live = {}
    for row in cursor.fetchall():
        id, c = cancellation_of(row)
        orders[id] = Order(**{**vars(orders[id]), "last": c})
        live[c.n] = id
    cursor.execute("SELECT cancellation_id, data->>'method', (data->>'amount')::numeric, data->>'reference'"
                   " FROM shop.orders_cancellation_event WHERE cancellation_id = ANY (%s) AND type = 'refunded'"
                   " ORDER BY event_id", (list(live),))
    for n, *paid in cursor.fetchall():
        o = orders[live[n]]
        c = Cancellation(**{**vars(o.last), "refunds": o.last.refunds + (tuple(paid),)})
        orders[o.id] = Order(**{**vars(o), "last": c})
    if rules.keeps:
        cursor.execute(
            "SELECT r.order_id, sum((r.data->>'amount')::numeric) FROM shop.orders_cancellation_event AS u"
            " JOIN shop.orders_cancellation_event AS r USING (cancellation_id)"
            " JOIN ordcancel.refund_method AS m ON m.code = r.data->>'method' AND m.on_undo = 'nothing'"
            " WHERE u.order_id = ANY (%s) AND u.type = 'undone' AND r.type = 'refunded'"
            " AND (%s OR u.data->>'settled' IS NULL) GROUP BY 1", (ids, rules.keeps_settled))
        for id, kept in cursor.fetchall():
            orders[id] = Order(**{**vars(orders[id]), "kept": kept})
    cursor.execute(
        "SELECT e.request_key, e.order_id, e.source, e.cancellation_id, e.state, e.to_status, c.refund_due,"
        " extract(epoch from c.requested_at)::bigint, extract(epoch from c.decided_at)::bigint, extract(epoch from "
        "e.at)::bigint"
        " FROM shop.orders_cancellation_event AS e JOIN shop.orders_cancellation AS c USING (cancellation_id)"
        " WHERE e.order_id = ANY (%s) AND e.request_key IS NOT NULL ORDER BY e.event_id DESC LIMIT 50", (ids,))
    keys = {}
    for key, id, source, n, state, status, due, requested_at, decided_at, at in cursor.fetchall():
        agreed = state != "requested"
        keys[key] = (id, source,
                     Outcome(n, state, status, False, due if agreed else None, Decimal(0) if state == "in_progress"
                             else None,
                                         requested_at, decided_at if agreed else None, at if state == "canceled"
                             else None))
    return model.World(orders, keys)


def probe(cursor):
    """Which of the answers that the design has changed this extension gives. Each is asked for with an order of
    its own.
    """
    found = {}

    def ask(name, id, *statements, says):
        cursor.execute("SAVEPOINT probe")
        try:
            for sql in statements:
                cursor.execute(sql.format("'shop.orders', %d" % id))
            found[name] = says(cursor.fetchone()[0] if cursor.description else True)
        except psycopg2.Error:
            found[name] = says(None)
        cursor.execute("ROLLBACK TO SAVEPOINT probe")

    for call in set_rules(random_rules(random.Random(1), {})):
        cursor.execute(call)
    cursor.execute("SET ordcancel.clock = '%s'" % instant(START))
    cursor.execute("SELECT ordcancel.set_policy('shop.orders', unset => '{grace}', on_progress => 'deny')")
    cursor.execute("INSERT INTO shop.orders (id, status, paid) SELECT i, 'placed', 40 FROM generate_series(1, 5) AS i")
    cancel = "SELECT refund_due FROM ordcancel.cancel_order({})"
    pay = "SELECT changed FROM ordcancel.record_refund({}, 15, 'cash', reference => 'probe')"
    undo = "SELECT state FROM ordcancel.undo_cancel({}, note => 'no', settled => %s)"
    ask("repeats_known", 3, cancel, pay, pay, says=lambda changed: changed is False)
    ask("keeps", 4, cancel, pay, undo % "false", cancel, says=lambda due: due is not None and due < 40)
    ask("keeps_settled", 5, cancel, pay, undo % "true", cancel, says=lambda due: due is not None and due < 40)
    return found
