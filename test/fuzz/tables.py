"""Order tables of many shapes, and what is done to them behind ordcancel's back."""

WORDS = ['new', 'paid', 'shipped', 'done', 'asked', 'refunding', 'void', 'gone']
ERRORS = ['22012', '23505', '23514', '40001', '40P01', '42P01', '42501', '53100', '54000', '55P03', '57014', '58030',
          '0A000', '25006', '27000', '2D000', 'OC002', 'OC003', 'OC014', 'P0001', 'P0004', '38000', '3D000', 'HV000']


def quote(text):
    """A literal; bytes that are no characters are sent as they are."""
    if '\\' in text or any(ord(c) < 32 for c in text):
        text = ''.join('\\x%02x' % ord(c) if ord(c) < 32 else c for c in text.replace('\\', '\\\\'))
        return "E'" + text.replace("'", "''") + "'"
    return "'" + text.replace("'", "''") + "'"


class Shape:
    def __init__(self, number, keys, status, placed='timestamptz', numbers=False, partition=None, words=None):
        self.name = 'shop.t%d' % number
        self.keys = keys                # types of the key's columns, and how number n is written as one
        self.status = status
        self.placed = placed
        self.partition = partition
        self.words = words or ([str(i) for i in range(8)] if numbers else WORDS)
        self.columns = ['k%d' % i for i in range(len(keys))]

    def key(self, n):
        return [write(n) for _, write in self.keys]

    def order_id(self, rng):
        n = rng.randint(0, 13)
        values = self.key(n)
        if len(values) > 1:
            return 'ROW(%s)' % ', '.join(values)
        return values[0]

    def where(self, n):
        return ' AND '.join('%s = %s' % pair for pair in zip(self.columns, self.key(n)))

    def word(self, rng):
        return quote(rng.choice(self.words))


def integer(n):
    return str(n)


def text(n):
    return "'key%d'" % n


SHAPES = [Shape(*s[0], **s[1]) for s in [
    ((0, [('int', integer)], 'text'), {}),
    ((1, [('bigint', integer)], 'shop.st'), {'placed': 'date'}),
    ((2, [('uuid', lambda n: "'00000000-0000-0000-0000-%012d'::uuid" % n)], 'varchar(20)'), {'placed': 'timestamp'}),
    ((3, [('text', text)], 'int'), {'numbers': True}),
    ((4, [('numeric', lambda n: '%d.50' % n)], 'shop.dst'), {}),
    ((5, [('shop.dint', integer)], 'shop.est'), {}),
    ((6, [('int', integer), ('text', text)], 'text'), {}),
    ((7, [('int', integer)], 'text'), {'partition': 'list'}),
    ((8, [('int', integer), ('text', text)], 'shop.st'), {'partition': 'hash'}),
    ((9, [('char(8)', text)], 'char(10)'), {}),
    ((10, [('timestamptz', lambda n: "'2026-01-01 00:00:%02d+00'::timestamptz" % n)], 'boolean'),
     {'words': ['true', 'false']}),
    ((11, [('shop.ct', lambda n: "ROW(%d, 'x')::shop.ct" % n)], 'numeric'), {'numbers': True}),
    ((12, [('text COLLATE shop.folded', text)], 'text COLLATE shop.folded'), {}),
    ((13, [('interval', lambda n: "'%d days'::interval" % n), ('date', lambda n: "'2026-01-%02d'::date" % (n + 1)),
           ('float8', lambda n: "'%d.1'::float8" % n)], 'varchar'), {}),
    ((14, [('shop.est', lambda n: "'%s'::shop.est" % WORDS[n % 8])], 'shop.ddst'), {}),
    ((15, [('bytea', lambda n: "'\\x%02x'::bytea" % n)], 'smallint'), {'numbers': True}),
    ((16, [('int4range', lambda n: "'[%d,%d)'::int4range" % (n, n + 1))], 'name'), {}),
    ((17, [('jsonb', lambda n: "'{\"a\": %d}'::jsonb" % n)], 'text'), {}),
]]


def create(rng, s):
    """Drops the table and makes it anew, attached, with rules, orders, and code of the user's here and there."""
    leftovers = ['', '_child', '_cancellation', '_cancellation_event', '_p1', '_p2', '_d', '_h0', '_h1']
    q = ['DROP TABLE IF EXISTS %s CASCADE' % ', '.join(s.name + end for end in leftovers)]
    columns = ['%s %s' % (c, t) for c, (t, _) in zip(s.columns, s.keys)]
    others = ['status %s' % s.status, 'placed_at ' + s.placed, 'paid numeric', 'policy_by text', 'extra text']
    if rng.random() < 0.3:
        others.append("g text GENERATED ALWAYS AS ('g' || extra) STORED")
    if rng.random() < 0.2:
        others.append('c int DEFAULT 1 CONSTRAINT c_check CHECK (shop.calm(c) > 0)')
    columns = columns + others if rng.random() < 0.5 else others + columns
    dropped = rng.random() < 0.4
    if dropped:
        columns.insert(0, 'dropped1 text')
        columns.insert(rng.randint(1, len(columns)), 'dropped2 int')
    columns.append('PRIMARY KEY (%s)' % ', '.join(s.columns))
    unlogged = 'UNLOGGED ' if rng.random() < 0.1 and not s.partition else ''
    partition = {'list': ' PARTITION BY LIST (k0)', 'hash': ' PARTITION BY HASH (k0)'}.get(s.partition, '')
    q.append('CREATE %sTABLE %s (%s)%s' % (unlogged, s.name, ', '.join(columns), partition))
    if s.partition == 'list':
        # Its columns stand in another order.
        other = 'extra text, k0 int NOT NULL, ' + ', '.join(c for c in columns
                                                            if c.split()[0] not in ('k0', 'extra', 'PRIMARY'))
        q += ['CREATE TABLE {0}_p1 PARTITION OF {0} FOR VALUES IN (0, 1, 2, 3)', 'CREATE TABLE {0}_p2 (%s)' % other,
              'ALTER TABLE {0} ATTACH PARTITION {0}_p2 FOR VALUES IN (4, 5, 6, 7)',
              'CREATE TABLE {0}_d PARTITION OF {0} DEFAULT']
    elif s.partition == 'hash':
        q += ['CREATE TABLE {0}_h0 PARTITION OF {0} FOR VALUES WITH (MODULUS 2, REMAINDER 0)',
              'CREATE TABLE {0}_h1 PARTITION OF {0} FOR VALUES WITH (MODULUS 2, REMAINDER 1) PARTITION BY RANGE (k1)',
              "CREATE TABLE {0}_h1a PARTITION OF {0}_h1 FOR VALUES FROM (MINVALUE) TO ('key5')",
              'CREATE TABLE {0}_h1b PARTITION OF {0}_h1 DEFAULT']
    if dropped and s.partition != 'list':
        q.append('ALTER TABLE {0} DROP COLUMN dropped1, DROP COLUMN dropped2')
    q += [insert(rng, s, n, ' ON CONFLICT DO NOTHING') for n in range(12)]
    q.append('ALTER TABLE {0} OWNER TO %s' % rng.choice(['f_owner', 'f_owner', 'postgres']))
    q += configure(rng, s)
    q.append('GRANT SELECT ON {0} TO f_customer, f_merchant')

    # All or nothing up to here; the rest may fail.
    made = ['RESET SESSION AUTHORIZATION; RESET ALL; SET lock_timeout = 500; SET statement_timeout = 3000; '
            'SET client_min_messages = warning',
            '; '.join(q).replace('{0}', s.name)]
    if rng.random() < 0.4:
        made.append("SELECT ordcancel.add_block('%s', 'b', %s)" % (s.name, quote(rng.choice(
            ['paid > 8', 'shop.chaos() IS NULL', 'EXISTS (SELECT FROM shop.t0 AS x WHERE x.paid < 0)']))))
    for _ in range(rng.choice([0, 0, 1, 2])):
        made.append(trigger(rng, s.name))
    if rng.random() < 0.15:
        made.append('ALTER TABLE %s ENABLE ROW LEVEL SECURITY' % s.name)
        made.append('CREATE POLICY p ON %s USING (%s)'
                    % (s.name, rng.choice(["paid > 1", 'shop.chaos()', 'true', "current_user <> 'f_customer'"])))
    if rng.random() < 0.4:
        key = ', '.join(s.columns)
        made.append('CREATE TABLE %s_child (%s, x int%s)' % (
            s.name, ', '.join('%s %s' % (c, t) for c, (t, _) in zip(s.columns, s.keys)),
            ', FOREIGN KEY (%s) REFERENCES %s ON UPDATE CASCADE ON DELETE %s' % (
                key, s.name, rng.choice(['CASCADE', 'SET NULL', 'RESTRICT'])) if rng.random() < 0.5 else ''))
        made.append("SELECT ordcancel.attach_child('%s_child', '%s', '{%s}')" % (s.name, s.name, ','.join(s.columns)))
    return made


def configure(rng, s):
    """attach, and rules under which something happens."""
    w = s.words
    due = rng.choice([None, None, 'paid', 'shop.price(paid)', '1.005', 'paid - 5'])
    q = ["SELECT ordcancel.attach('%s', 'status', %s%s%s)" % (
        s.name, rng.choice(["'placed_at'", 'NULL']), rng.choice(['', ", policy_by => 'policy_by'"]),
        ', refund_due => ' + quote(due) if due else '')]
    policy = ["canceled_status => %s" % quote(w[6 % len(w)])]
    if len(w) > 2:
        policy += ["grace => '%s'" % rng.choice(['1 hour', '1 year', '0']), 'requested_status => %s' % quote(w[4]),
                   'in_progress_status => %s' % quote(w[5]), 'customer_canceled_status => %s' % quote(w[7]),
                   "on_progress => '%s'" % rng.choice(['deny', 'hold'])]
        if rng.random() < 0.5:
            policy.append("decision_timeout => '%s', on_timeout => '%s'" % (
                rng.choice(['0', '1 us', '1 day']), rng.choice(['accept', 'deny'])))
    for name in rng.choice([['default'], ['default', 'other']]):
        q.append("SELECT ordcancel.set_policy('%s', %s, %s)" % (
            s.name, quote(name), ', '.join(rng.sample(policy[1:], rng.randint(0, len(policy) - 1)) + policy[:1])))
        for word in w[:4] if len(w) > 2 else w[1:]:
            q.append("SELECT ordcancel.set_rule('%s', %s, '%s', '%s', '%s', %s, policy => %s)" % (
                s.name, quote(word), rng.choice(['cancel', 'request']), rng.choice(['cancel', 'request', 'forbid']),
                rng.choice(['cancel', 'cancel', 'request']), rng.choice(['true', 'false']), quote(name)))
    return q


def trigger(rng, table):
    what = rng.choice(['', '', 'suppress', 'raise:' + rng.choice(ERRORS), 'set:{"status": "paid"}', 'set:{"paid": 3}'])
    if rng.random() < 0.2:
        return ("CREATE CONSTRAINT TRIGGER z%d AFTER %s ON %s DEFERRABLE INITIALLY %s FOR EACH ROW "
                "EXECUTE FUNCTION shop.trouble(%s)") % (
            rng.randint(1, 3), rng.choice(['UPDATE', 'INSERT OR UPDATE']), table, rng.choice(['DEFERRED', 'IMMEDIATE']),
            quote(what))
    return 'CREATE TRIGGER %s%d %s %s ON %s FOR EACH %s EXECUTE FUNCTION shop.trouble(%s)' % (
        rng.choice(['a', 'z', '"!a']) + '', rng.randint(1, 3), rng.choice(['BEFORE', 'AFTER']),
        rng.choice(['UPDATE', 'UPDATE', 'INSERT', 'DELETE', 'INSERT OR UPDATE OR DELETE', 'UPDATE OF status']), table,
        rng.choice(['ROW', 'ROW', 'STATEMENT']), quote(what)) if rng.random() < 0.9 else (
            'CREATE TRIGGER t1 AFTER UPDATE ON %s REFERENCING OLD TABLE AS o NEW TABLE AS n FOR EACH STATEMENT'
            ' EXECUTE FUNCTION shop.trouble()' % table)


def insert(rng, s, n, more=''):
    return 'INSERT INTO %s (%s, status, placed_at, paid, policy_by, extra) VALUES (%s, %s, %s, %s, %s, %s)%s' % (
        s.name, ', '.join(s.columns), ', '.join(s.key(n)), quote(rng.choice(s.words[:4])) if rng.random() < 0.85
        else s.word(rng),
        rng.choice(['now()', "now() - interval '2 hours'", "'infinity'", "'-infinity'", 'NULL']),
        rng.choice(['0', '5', '10', 'NULL', "'NaN'", '-1', '0.001', "'Infinity'"]),
        rng.choice(["'default'", "'other'", 'NULL', "''", "'none'"]),
        rng.choice(["'x'", 'NULL', "repeat('y', 3000)"]), more)


def dml(rng, s):
    n = rng.randint(0, 13)
    kind = rng.randrange(12)
    w = s.word(rng)
    if kind < 4:
        return 'UPDATE %s SET status = %s WHERE %s' % (s.name, w, s.where(n))
    if kind == 4:
        return 'UPDATE %s SET status = %s' % (s.name, w)
    if kind == 5:
        return 'DELETE FROM %s%s' % (s.name, ' WHERE ' + s.where(n) if rng.random() < 0.8 else '')
    if kind == 6:
        return insert(rng, s, n,
                      rng.choice(['', ' ON CONFLICT DO NOTHING', ' ON CONFLICT (%s) DO UPDATE SET status = %s' % (
            ', '.join(s.columns), w)]))
    if kind == 7:
        return 'UPDATE %s SET %s = %s WHERE %s' % (s.name, s.columns[-1], s.key(rng.randint(0, 13))[-1], s.where(n))
    if kind == 8:
        return ('MERGE INTO {0} AS t USING (SELECT {1}) AS v ON {2} WHEN MATCHED AND paid > 5'
                ' THEN UPDATE SET status = {3}'
                ' WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT ({4}, status) VALUES ({5}, {3})').format(
                    s.name, '1', s.where(n), w, ', '.join(s.columns), ', '.join(s.key(n)))
    if kind == 9:
        return 'SELECT * FROM %s WHERE %s FOR %s' % (s.name, s.where(n),
                                                     rng.choice(['UPDATE', 'SHARE', 'KEY SHARE',
                                                                 'NO KEY UPDATE SKIP LOCKED']))
    if kind == 10:
        return rng.choice([
            'INSERT INTO {0}_child ({1}, x) VALUES ({2}, 1)'.format(s.name, ', '.join(s.columns), ', '.join(s.key(n))),
            'UPDATE {0}_child SET {1} = {2}'.format(s.name, s.columns[0], s.key(n)[0]),
            'WITH w AS (UPDATE {0} SET status = {1} WHERE {2} RETURNING *) SELECT count(*) FROM w'.format(s.name, w,
                        s.where(n))])
    return rng.choice([
        "UPDATE {0}_cancellation SET state = 'x'", 'DELETE FROM {0}_cancellation_event',
        'UPDATE {0} SET paid = paid + 1',
        'UPDATE {0} SET policy_by = \'other\'', 'TABLE {0}_cancellation',
        'UPDATE {0} SET placed_at = NULL, extra = NULL']).format(s.name)


REPORTS = ['TABLE ordcancel.batch_progress', 'TABLE ordcancel.batch_summary', 'TABLE ordcancel.batch_refused',
           'SELECT * FROM ordcancel.cancellation ORDER BY cancellation_id', 'SELECT count(*) FROM ordcancel.event']


def ddl(rng, s):
    """One statement that changes the table, its record tables, or what they are made of."""
    t = s.name
    if s.partition and rng.random() < 0.3:
        part = t + ('_p1' if s.partition == 'list' else '_h0')
        bound = 'FOR VALUES IN (0, 1, 2, 3)' if s.partition == 'list' else 'FOR VALUES WITH (MODULUS 2, REMAINDER 0)'
        return rng.choice([
            'ALTER TABLE %s DETACH PARTITION %s' % (t, part),
            'ALTER TABLE %s DETACH PARTITION %s CONCURRENTLY' % (t, part),
            'ALTER TABLE %s ATTACH PARTITION %s %s' % (t, part, bound),
            'ALTER TABLE %s ATTACH PARTITION %s %s' % (t, part, bound),
            'DROP TABLE %s' % part, 'CREATE TABLE %s PARTITION OF %s %s' % (part, t, bound), 'TRUNCATE %s' % part])
    record = t + rng.choice(['_cancellation', '_cancellation_event'])
    kind = rng.random()
    if kind < 0.45:
        return rng.choice([
            'ALTER TABLE {t} ADD COLUMN e{n} int DEFAULT {n}', 'ALTER TABLE {t} DROP COLUMN IF EXISTS e{n}',
            'ALTER TABLE {t} ADD COLUMN o text', 'ALTER TABLE {t} DROP COLUMN IF EXISTS o',
            'ALTER TABLE {t} DROP COLUMN extra CASCADE', 'ALTER TABLE {t} ADD COLUMN extra text',
            'ALTER TABLE {t} DROP COLUMN {c}', 'ALTER TABLE {t} RENAME {c} TO renamed',
            'ALTER TABLE {t} RENAME renamed TO {c}',
            'ALTER TABLE {t} RENAME renamed TO {c}', 'ALTER TABLE {t} ALTER paid TYPE text',
            'ALTER TABLE {t} ALTER paid TYPE numeric USING NULL',
            'ALTER TABLE {t} ALTER paid TYPE numeric USING NULL', 'ALTER TABLE {t} ALTER {c} TYPE text',
            'ALTER TABLE {t} ALTER status TYPE varchar(4)',
            'CREATE INDEX i{n} ON {t} (status)', 'CREATE INDEX i{n} ON {t} (shop.calm(paid))',
            'CREATE INDEX i{n} ON {t} (paid) WHERE shop.calm(true)',
            'CREATE INDEX CONCURRENTLY i{n} ON {t} (paid)', 'DROP INDEX IF EXISTS shop.i{n}', 'REINDEX TABLE {t}',
            'ALTER TABLE {t} DROP CONSTRAINT {b}_pkey', 'ALTER TABLE {t} ADD CONSTRAINT {b}_pkey PRIMARY KEY ({k})',
            'ALTER TABLE {t} ADD CONSTRAINT {b}_pkey PRIMARY KEY ({k})',
            'ALTER TABLE {t} ADD CONSTRAINT ck{n} CHECK (shop.chaos())',
            'ALTER TABLE {t} DROP CONSTRAINT IF EXISTS ck{n}', 'ALTER TABLE {t} SET UNLOGGED',
            'ALTER TABLE {t} SET LOGGED',
            'ALTER TABLE {t} OWNER TO f_owner', 'ALTER TABLE {t} OWNER TO postgres', 'ALTER TABLE {t} RENAME TO r{b}',
            'ALTER TABLE shop.r{b} RENAME TO {b}',
            'ALTER TABLE shop.r{b} RENAME TO {b}', 'ALTER TABLE {t} SET SCHEMA public',
            'ALTER TABLE public.{b} SET SCHEMA shop',
            'ALTER TABLE public.{b} SET SCHEMA shop', 'ALTER TABLE {t} DISABLE TRIGGER USER',
            'ALTER TABLE {t} ENABLE TRIGGER USER',
            'ALTER TABLE {t} ENABLE ALWAYS TRIGGER "!ordcancel_guard_update"',
            'DROP TRIGGER "!ordcancel_guard_delete" ON {t}',
            'ALTER TABLE {t} ENABLE ROW LEVEL SECURITY', 'ALTER TABLE {t} FORCE ROW LEVEL SECURITY',
            'ALTER TABLE {t} DISABLE ROW LEVEL SECURITY',
            'CREATE POLICY p{n} ON {t} USING (shop.chaos())', 'DROP POLICY IF EXISTS p{n} ON {t}',
            'ALTER TABLE {t} REPLICA IDENTITY FULL',
            'CREATE RULE r AS ON UPDATE TO {t} DO INSTEAD NOTHING',
            'CREATE RULE r AS ON UPDATE TO {t} DO ALSO SELECT shop.chaos()',
            'DROP RULE IF EXISTS r ON {t}', 'DROP RULE IF EXISTS r ON {t}', 'ANALYZE {t}', 'VACUUM {t}',
            'VACUUM FULL {t}', 'CLUSTER {t} USING {b}_pkey',
            'TRUNCATE {t} CASCADE', 'DROP TABLE {t}', 'ALTER TABLE {t} INHERIT shop.no_columns',
            'ALTER TABLE {t} NO INHERIT shop.no_columns',
            'REVOKE ALL ON {t} FROM f_customer, f_owner', 'GRANT ALL ON {t} TO f_customer, f_merchant, f_owner',
            'GRANT SELECT ({k}) ON {t} TO f_customer',
            'CREATE STATISTICS IF NOT EXISTS shop.s{n} ON status, paid FROM {t}',
            'ALTER TABLE {t} ALTER status SET DEFAULT {w}',
            'ALTER TABLE {t} ALTER status DROP NOT NULL', 'ALTER TABLE {t} ALTER status SET STORAGE EXTERNAL',
        ]).format(t=t, b=t[5:], n=rng.randint(1, 3),
                  c=rng.choice(['status', 'placed_at', 'policy_by', 'paid', s.columns[0]]),
                  k=', '.join(s.columns), w=s.word(rng))
    if kind < 0.52:
        return trigger(rng, rng.choice([t, record]))
    if kind < 0.56:
        return 'DROP TRIGGER IF EXISTS %s%d ON %s' % (rng.choice(['a', 'z']), rng.randint(1, 3), t)
    if kind < 0.68:
        return rng.choice([
            'ALTER TABLE {r} ADD COLUMN e{n} int', 'ALTER TABLE {r} ADD COLUMN m{n} int NOT NULL DEFAULT 1',
            'ALTER TABLE {r} DROP COLUMN IF EXISTS e{n}',
            'ALTER TABLE {r} DROP COLUMN {k}', 'ALTER TABLE {r} RENAME {k} TO renamed',
            'ALTER TABLE {r} RENAME renamed TO {k}', 'ALTER TABLE {r} ALTER {k} TYPE text',
            'ALTER TABLE {r} RENAME TO renamed_{b}', 'DROP TABLE {r} CASCADE',
            'ALTER TABLE {r} DROP CONSTRAINT {b}_pkey', 'ALTER TABLE {r} DISABLE TRIGGER ALL',
            'ALTER TABLE {r} ADD CONSTRAINT ck{n} CHECK (shop.chaos())',
            'ALTER TABLE {r} DROP CONSTRAINT IF EXISTS ck{n}', 'CREATE INDEX ON {r} (shop.calm(state))',
            'CREATE INDEX ON {r} (state) WHERE shop.calm(true)', 'ALTER TABLE {r} NO INHERIT ordcancel.event',
            'ALTER TABLE {r} OWNER TO f_owner',
            'CREATE RULE r AS ON INSERT TO {r} DO INSTEAD NOTHING', 'DROP RULE IF EXISTS r ON {r}',
            'ALTER TABLE {r} ENABLE ROW LEVEL SECURITY',
            'ALTER TABLE {r} ADD EXCLUDE USING gist (box(point(1, 1), point(2, 2)) WITH &&)', 'VACUUM FULL {r}',
            'ANALYZE {r}', 'TRUNCATE {r}',
            "SELECT indexrelid::regclass FROM pg_index WHERE indrelid = '{r}'::regclass",
            'ALTER TABLE {r} SET UNLOGGED',
        ]).format(r=record, b=record[5:], n=rng.randint(1, 3), k=rng.choice(s.columns))
    if kind < 0.74:
        return rng.choice([
            "ALTER TYPE shop.st ADD VALUE IF NOT EXISTS 'n%d'" % rng.randint(1, 9),
            "ALTER TYPE shop.st RENAME VALUE 'void' TO 'voided'",
            "ALTER TYPE shop.st RENAME VALUE 'voided' TO 'void'",
            'ALTER DOMAIN shop.dst ADD CONSTRAINT c CHECK (shop.chaos())',
            'ALTER DOMAIN shop.dst DROP CONSTRAINT IF EXISTS c', "ALTER DOMAIN shop.dint SET NOT NULL",
            "ALTER DOMAIN shop.dint DROP NOT NULL",
            'CREATE OR REPLACE FUNCTION shop.many(n int) RETURNS SETOF boolean LANGUAGE sql AS $$ SELECT true FROM '
            'generate_series(1, n) $$',
            'ALTER TYPE shop.ct RENAME ATTRIBUTE b TO b2', 'ALTER TYPE shop.ct RENAME ATTRIBUTE b2 TO b',
            'REFRESH MATERIALIZED VIEW shop.a_matview',
            'CREATE OR REPLACE FUNCTION shop.price(n numeric) RETURNS numeric LANGUAGE sql AS $$ SELECT n / 1 $$',
            'DISCARD PLANS'])
    if kind < 0.95:
        return rng.choice(configure(rng,
                                    s)) if rng.random() < 0.85 else "SELECT ordcancel.%s('%s')" % (rng.choice(['detach',
                                                'guard_partitions', 'make_call_table']), t)
    return rng.choice([
        'UPDATE ordcancel.order_table SET {0} = {0} WHERE orders = \'%s\'::regclass'.format(rng.choice(['status',
                    'search_path', 'key_columns'])) % t,
        "UPDATE ordcancel.policy SET canceled_status = 'nonsense' WHERE orders = '%s'::regclass" % t,
        "DELETE FROM ordcancel.policy WHERE orders = '%s'::regclass" % t, "TRUNCATE ordcancel.rule",
        "DELETE FROM ordcancel.order_table WHERE orders = '%s'::regclass" % t,
        "UPDATE ordcancel.order_table SET refund_due = 'no_such_column' WHERE orders = '%s'::regclass" % t,
        "UPDATE ordcancel.order_table SET event_table = 0 WHERE orders = '%s'::regclass" % t,
        "UPDATE ordcancel.order_table SET status = 'nope' WHERE orders = '%s'::regclass" % t,
        "UPDATE ordcancel.order_table SET time_zone = 'Mars/Olympus', search_path = '\"' WHERE orders = '%s'::regclass"
        % t,
        "INSERT INTO ordcancel.block VALUES ('%s'::regclass, 'raw', %s)"
        % (t, quote(rng.choice(['1', 'true) OR (true', 'nothing', 'count(*) > 0', '']))),
        "INSERT INTO ordcancel.reason (code, audience) VALUES ('r%d', 'any') ON CONFLICT DO NOTHING"
        % rng.randint(1, 3)])
