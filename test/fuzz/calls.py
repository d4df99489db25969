"""Calls of every function of ordcancel, found from the catalog, with odd arguments."""

from tables import ERRORS, REPORTS, SHAPES, WORDS, ddl, dml, quote

ROUTINES = """
SELECT format('%I.%I', n.nspname, p.proname) AS name, p.prokind,
       format_type(p.prorettype, NULL) AS result, p.pronargdefaults AS defaults,
       ARRAY(SELECT format_type(t, NULL) FROM unnest(p.proargtypes) WITH ORDINALITY AS a (t, n) ORDER BY n) AS types,
       coalesce(p.proargnames, '{}') AS names
FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname IN ('ordcancel', 'ordcancel_internal') AND p.prokind IN ('f', 'p')
ORDER BY p.oid::regprocedure::text"""

TEXTS = ['', ' ', 'x', 'NULL', "'", '"', '\\', '%s%n%d', '{}', '{1,2}', '{1,NULL,{2}}', '{{1},{2}}', '()', '(1,2)',
         '(,)', '(1', '[]', '{"a": 1}', 'null',
         '\x01\x1f\x7f', 'ä€😀', '\u202e\u200b\ufeff', 'e\u0301', '-1', '0', '99999999999999999999', '1e400', 'NaN',
         'infinity', 'true',
         '2026-01-01', '00000000-0000-0000-0000-000000000001', 'default', 'other', 'customer', 'merchant', 'system',
         'pg_temp', 'a.b', '$1', ':x', ';', '--', '/*',
         'out_of_stock', 'customer_changed_mind', 'other', 'bank_transfer', 'credit_card'] + WORDS
LONG = ["repeat('x', 300)", "repeat('€', 255)", "repeat('€', 256)", "repeat('x', 2001)", "repeat('ä', 8000)",
        "repeat('😀', 3000)", "repeat('x', 1000000)",
        "repeat('(', 20000)", "repeat('x', 63) || 'é'", "chr(1) || chr(127)", "repeat('NOT ', 3000) || 'true'"]
RAW = ["E'\\x80'", "E'\\xff\\xfe'", "E'\\xe2\\x82'", "'\udcff\udcfe'", "'x\udce2\udc82'", "'\udc80'"]

CONDITIONS = ['true', 'false', 'NULL', 'paid > 3', "status = 'new'", 'status IS NULL', '1/0 > 0', 'count(*) > 0',
              'sum(paid) > 1', 'generate_series(1, 3) > 0',
              'shop.many(3)', '(SELECT true)', '(SELECT true UNION ALL SELECT false)',
              'EXISTS (SELECT FROM shop.t1 AS x)', 'row_number() OVER () > 0',
              'true) OR (true', 'true; DROP TABLE shop.no_key', 'true; SELECT 1', 'true -- c', 'true /* c',
              "true /* c */", '$1', '$1 IS NULL', "'x'", "'t'", '1', '',
              ' ', 'shop.chaos()', 'shop.chaos() AND paid > 1', 'shop.calm(true)',
              '(WITH x AS (DELETE FROM shop.t0 RETURNING 1) SELECT true)',
              '(WITH x AS (SELECT 1) SELECT true FROM x)', 'tableoid > 0', 'ctid IS NOT NULL', 'xmin IS NOT NULL',
              "t0.*::text <> ''", 't0 IS NOT NULL', 'o.paid > 1',
              'true ORDER BY 1', 'true LIMIT 0', 'true FOR UPDATE', 'true, true', 'true AS x', 'DISTINCT true',
              'true INTO x', 'ALL true', '* ', 'random() < 0.5',
              "current_user = 'f_owner'", 'pg_sleep(0.002) IS NOT NULL',
              "ordcancel.cancel_order('shop.t0', 1) IS NOT NULL",
              "(ordcancel.cancel_order('shop.t0', '1')).changed", "(SELECT count(*) FROM ordcancel.event) > 0",
              "(SELECT count(*) FROM ordcancel.cancel_orders('shop.t6', '{}')) = 0",
              "ordcancel.attach('shop.t0', 'status') IS NULL", "ordcancel.detach('shop.t0') IS NULL",
              "nextval('shop.a_sequence') > 0", 'lo_create(0) > 0', 'GROUPING(paid) = 0',
              "paid IN (SELECT x.paid FROM shop.t2 AS x FOR UPDATE)", 'k0 IS NOT NULL', 'k0 = k0', 'CURRENT OF c',
              'DEFAULT', "set_config('search_path', 'pg_temp', false) IS NOT NULL",
              "set_config('role', 'f_customer', false) IS NOT NULL", 'pg_cancel_backend(pg_backend_pid())',
              'array[true]', 'ROW(true)', '(true, false)', 'NOT (NOT paid > 0)',
              "xmlexists('/a' PASSING '<a/>')", 'paid::text::boolean', 'CASE WHEN paid > 4 THEN 1/0 > 0 ELSE true END',
              'shop.price(paid) > 1', 'paid BETWEEN 0 AND 7 AND true']
EXPRESSIONS = ['paid', 'paid * 2', '1', "'NaN'::numeric", "'Infinity'::numeric", 'NULL', '-1', '1e300', '1e100000',
               'shop.price(paid)', '(SELECT 5)', '0.0000000001', "'x'", 'status'] + CONDITIONS

RELATIONS = ["'shop.a_view'", "'shop.a_matview'", "'shop.a_sequence'", "'shop.no_key'", "'shop.no_columns'",
             "'shop.deferrable_key'", "'shop.parent'", "'shop.heir'",
             "'shop.child_of_two'", "'shop.a_foreign_table'", "'shop.\"Größe \"\"x\"\" ''y''\"'", "'shop.t7_p1'",
             "'shop.t8_h1'", "'shop.t0_pkey'", "'shop.t0_cancellation'",
             "'shop.t1_cancellation_event'", "'pg_class'", "'pg_stat_activity'", "'ordcancel.event'",
             "'ordcancel.order_table'", "'ordcancel.outcome'", "'information_schema.tables'",
             'NULL', '0', '1', '4294967295', '16384', "'shop.missing'", "'pg_temp.tmp'", "'pg_toast.pg_toast_1255'",
             "(SELECT max(oid) FROM pg_class)::regclass",
             "(SELECT reltoastrelid FROM pg_class WHERE oid = 'shop.t3'::regclass)::regclass",
             "(SELECT max(oid)::bigint + 1 FROM pg_class)::oid::regclass"]
TIMES = ['NULL', 'now()', "'infinity'", "'-infinity'", "'4714-11-24 00:00:00+00 BC'",
         "'294276-12-31 23:59:59.999999+00'", "'2026-03-02 10:00+00'", "'epoch'", 'now() - interval \'1 s\'']
SPANS = ['NULL', "'0'", "'1 hour'", "'-1 hour'", "'178000000 years'", "'-178000000 years'",
         "'2147483647 months 2147483647 days'", "'9223372036854775807 us'", "'1000 years'",
         "'1 us'", "'-1 month +30 days'", "'nonsense'", "'999 years 11 months'"]
NUMBERS = ['NULL', '0', '1', '-1', '5', '10', '0.001', "'NaN'", "'Infinity'", "'-Infinity'", '1e1000', '1e-1000',
           '4.995', '9' * 200, '1e131071', '0.' + '0' * 16000 + '1']

SETTINGS = ["ordcancel.actor = 'anna'", "ordcancel.party = 'customer'", "ordcancel.party = 'merchant'",
            "ordcancel.party = 'nonsense'", "ordcancel.reason = 'out_of_stock'", "ordcancel.reason = 'nonsense'",
            "ordcancel.note = 'n'", "ordcancel.notify = 'off'", "ordcancel.notify = 'relay'",
            "ordcancel.notify = 'nonsense'", "ordcancel.clock = 'infinity'", "ordcancel.clock = '-infinity'",
            "ordcancel.clock = 'nonsense'", "ordcancel.clock = '2026-03-02 10:00+00'",
            "ordcancel.clock = 'now'", "ordcancel.clock = '294276-12-31'", "DateStyle = 'SQL, DMY'",
            "IntervalStyle = 'iso_8601'", "TimeZone = 'Asia/Kathmandu'", 'extra_float_digits = -10',
            "bytea_output = 'escape'", 'quote_all_identifiers = on', 'standard_conforming_strings = off',
            'transform_null_equals = on', "plan_cache_mode = 'force_generic_plan'",
            'enable_seqscan = off', 'enable_indexscan = off', 'enable_bitmapscan = off',
            'default_transaction_read_only = on', "work_mem = '64kB'", 'row_security = off',
            "session_replication_role = 'replica'", "client_encoding = 'LATIN1'", 'client_min_messages = debug1',
            "default_transaction_isolation = 'serializable'",
            "default_transaction_isolation = 'repeatable read'", "search_path = ''", 'search_path = shop, public',
            "search_path = 'pg_temp', \"no such\"", 'search_path = ordcancel',
            "ROLE f_owner", 'ROLE f_customer', 'ROLE f_merchant', 'SESSION AUTHORIZATION f_owner', 'array_nulls = off',
            'escape_string_warning = off',
            'constraint_exclusion = on', 'check_function_bodies = off', 'temp_tablespaces = \'\'',
            "xmloption = 'document'",
            "lc_messages = 'C'", "lc_monetary = 'C'", 'plpgsql.variable_conflict = error',
            'plpgsql.extra_errors = \'all\'', '{parallel}', '{discard}']

# What code of the user's may do in the middle of a call.
DEEDS = ['SET LOCAL search_path = pg_temp', "SET search_path = 'nowhere'", 'SET ROLE f_customer', 'RESET ROLE',
         'SET CONSTRAINTS ALL DEFERRED', 'SET CONSTRAINTS ALL IMMEDIATE',
         'DECLARE c{n} CURSOR WITH HOLD FOR SELECT shop.chaos()',
         'CREATE TEMP TABLE IF NOT EXISTS tmp (id int PRIMARY KEY, status text)', 'DROP TABLE IF EXISTS pg_temp.tmp',
         'SELECT pg_cancel_backend(pg_backend_pid())', 'NOTIFY ordcancel', 'LISTEN ordcancel', 'DISCARD PLANS',
         'SET TRANSACTION ISOLATION LEVEL SERIALIZABLE', 'DEALLOCATE ALL',
         'SET LOCAL session_replication_role = replica', "SET LOCAL ordcancel.clock = 'infinity'",
         'SELECT pg_sleep(0.01)', 'SET LOCAL statement_timeout = 1', 'SET LOCAL lock_timeout = 1',
         'CLOSE ALL', 'RESET ALL', 'SELECT pg_advisory_lock(1)', 'SET LOCAL row_security = off',
         'CALL ordcancel.sweep()',
         'LOCK TABLE ordcancel.order_table', 'DROP FUNCTION shop.many(int)', 'SAVEPOINT s', 'COMMIT',
         'SET transaction_read_only = on', 'UNLISTEN *', 'ANALYZE']


class Calls:
    def __init__(self, rows):
        self.routines = rows
        # A verb is more interesting than a helper.
        self.weights = [(1 if '._' in r['name'] else 3) * (4 if r['names'][:2] == ['orders', 'order_id'] else 1) * (4
                    if r['prokind'] == 'p' else 1) for r in rows]

    def pick(self, rng):
        return rng.choices(self.routines, self.weights)[0]

    def call(self, rng):
        """The name of a routine, and an expression (or for a procedure a CALL) that calls it."""
        r = self.pick(rng)
        shape = rng.choice(SHAPES)
        odd = rng.choice([0.02, 0.1, 0.5])
        count = len(r['types'])
        given = rng.randint(count - r['defaults'], count) if rng.random() < 0.7 else count
        arguments = [argument(rng, t, (r['names'] + [''] * count)[i], shape, odd)
                     for i, t in enumerate(r['types'][:given])]
        if r['names'] and given and rng.random() < 0.1:
            arguments = ['%s => %s' % pair for pair in zip(map(identifier, r['names']), arguments)]
            if rng.random() < 0.3:
                rng.shuffle(arguments)
        return r, '%s(%s)' % (r['name'], ', '.join(arguments))

    def as_trigger(self, rng):
        """Puts a trigger function where it does not belong, and fires it."""
        functions = [r['name'] for r in self.routines if r['result'] == 'trigger']
        table = rng.choice([rng.choice(SHAPES).name, 'shop.no_key', 'shop.parent', 'shop.a_view', 'shop.no_columns',
                            'shop.child_of_two', 'shop.t0_cancellation', 'pg_temp.tmp'])
        name = 'f%d' % rng.randint(1, 9)
        event = rng.choice(['INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'INSERT OR UPDATE OR DELETE'])
        timing = rng.choice(['BEFORE', 'AFTER', 'INSTEAD OF']) if table == 'shop.a_view' else rng.choice(['BEFORE',
                    'AFTER'])
        return ['CREATE TRIGGER %s %s %s ON %s FOR EACH %s EXECUTE FUNCTION %s(%s)' % (
            name, timing, event, table, rng.choice(['ROW', 'STATEMENT']), rng.choice(functions),
            rng.choice(['', "'x'", "'shop.t0', 'id'"])),
            'INSERT INTO %s DEFAULT VALUES' % table, "INSERT INTO %s VALUES (1, 'new')" % table,
                dml(rng, rng.choice(SHAPES)), 'UPDATE %s SET status = status' % table,
            'DELETE FROM %s' % table, 'TRUNCATE %s' % table, 'DROP TRIGGER IF EXISTS %s ON %s' % (name, table)]

    def deed(self, rng):
        kind = rng.random()
        shape = rng.choice(SHAPES)
        if kind < 0.3:
            return ddl(rng, shape)
        if kind < 0.5:
            return dml(rng, shape)
        if kind < 0.75:
            return statement(*self.call(rng))
        if kind < 0.751:
            return 'DROP EXTENSION ordcancel CASCADE'
        return rng.choice(DEEDS).format(n=rng.randint(1, 9))

    def chaos(self, rng):
        kind = rng.random()
        if kind < 0.2:
            return 'raise:' + rng.choice(ERRORS)
        if kind < 0.3:
            return rng.choice(['null', 'false', 'suppress', 'set:{"status": "void"}', 'set:{"status": "paid"}',
                               'set:{"k0": "2"}', 'set:{"paid": 7}'])
        return rng.choice(['run:', 'run:', 'try:']) + self.deed(rng)


def identifier(name):
    return '"%s"' % name


def statement(routine, call):
    if routine['prokind'] == 'p':
        return 'CALL ' + call
    return ('SELECT * FROM ' if routine['result'] == 'record' or len(call) % 2 else 'SELECT ') + call


def odd_text(rng):
    kind = rng.random()
    if kind < 0.7:
        return quote(rng.choice(TEXTS))
    return rng.choice(LONG) if kind < 0.9 else rng.choice(RAW)


def any_id(rng, shape):
    return rng.choice([str(rng.randint(-1, 14)), "'%d'" % rng.randint(0, 13), 'NULL', 'NULL::int',
                       odd_text(rng) + '::text', "'key3'::name", "'x'::\"char\"", '1.5', "'NaN'::float8",
                       "ROW(1, 'key1')", 'ROW(1)', 'ROW()', 'ROW(NULL, NULL)', "ROW(1, 'a', ROW(2, 'b'))", "'(1,key1)'",
                       "'(1,\"key1\")'::text", 'shop.t6', "(SELECT x FROM shop.t6 AS x LIMIT 1)",
                       "'new'::shop.st", 'true', "'{\"a\": 1}'::jsonb", "'{}'::json", 'ARRAY[1]', "'{1}'::int[]",
                       "'[1,2)'::int4range", "'1 day'::interval", 'now()', 'pg_class', "'t0'::regclass",
                       "B'101'", "'\\x00'::bytea", "point(1, 2)", "'a b'::tsvector", "'1'::xid", "'<a/>'::xml",
                       '3::smallint', '4::bigint', '5::shop.dint', "ROW(1, 'x')::shop.ct",
                       "(SELECT (1, 'key1'))", "CAST(ROW(3, 'key3') AS record)", shape.order_id(rng)])


def argument(rng, kind, name, shape, odd):
    usual = rng.random() >= odd
    if kind == 'regclass':
        if usual:
            return "'%s'" % (shape.name + ('_child' if name == 'child' else ''))
        return rng.choice(RELATIONS)
    if kind == 'anynonarray' or name == 'order_id':
        value = shape.order_id(rng) if usual else any_id(rng, shape)
        if kind == 'text' and rng.random() < 0.7:
            return value if value.startswith("'") and '::' not in value else "(%s)::text" % value
        return value
    if kind == 'anyarray' or name == 'order_ids':
        if usual:
            items = [shape.order_id(rng) for _ in range(rng.randint(0, 8))]
            return 'ARRAY[%s]%s' % (', '.join(items), '' if items else '::int[]')
        return rng.choice(['NULL', "'{}'", "'{1,2,NULL}'", "'{{1,2},{3,4}}'::int[]", "'[0:1]={1,2}'::int[]",
                           'ARRAY[ROW(1, \'key1\'), NULL]', "'{(1,key1)}'", "ARRAY['1', 'x', NULL]",
                           "'{1'", 'ARRAY[shop.t6] ', "ARRAY['a'::name]",
                           "(SELECT array_agg(g) FROM generate_series(-5, 2000) AS g)", "'{\"(1,\\\"key1\\\")\"}'",
                           "ARRAY[now()]", "ARRAY[1.5, 'NaN']",
                           "'{}'::text[]", "ARRAY[ROW(1), ROW(1, 2)]", "'1 2 3'::int2vector", "'1 2'::oidvector",
                           'ARRAY[[NULL]]::int[]', "ARRAY[%s]" % any_id(rng, shape)])
    if kind in ('text', 'name', 'character varying', 'cstring'):
        return text_argument(rng, name, shape, usual)
    if kind == 'numeric':
        return rng.choice(NUMBERS if not usual else ['1', '5', '2.50', '10'])
    if kind == 'interval':
        return rng.choice(SPANS if not usual else SPANS[:3])
    if kind.startswith('timestamp') or kind == 'date':
        return rng.choice(TIMES if not usual else TIMES[:2])
    if kind == 'boolean':
        return rng.choice(['true', 'false', 'NULL'] if not usual else ['true', 'false'])
    if kind in ('integer', 'bigint', 'smallint'):
        return rng.choice(['NULL', '0', '-1', '2147483647', '-2147483648', '9223372036854775807', '1', '100000',
                           '100001', "'x'"] if not usual else ['1', '2', '3', '7'])
    if kind in ('name[]', 'text[]'):
        if usual and name in ('key', 'key_columns', 'record_keys', 'primary_key', 'watched'):
            return "'{%s}'" % ','.join(shape.columns)
        if usual and name == 'refuse_while':
            return "'{requested,canceled}'"
        return rng.choice(['NULL', "'{}'", "'{NULL}'", "'{grace}'", "'{undo,on_progress,grace}'", "'{{a,b},{c,d}}'",
                           "'{x,x}'", "'{status}'", "'[5:6]={k0,k1}'", "'{k0,k0,k0,k0}'", "'{customer,hint}'",
                           "(SELECT array_agg('c' || g) FROM generate_series(1, 40) AS g)::name[]", "'{ctid}'",
                           "'{requested,nonsense}'", "'{\"\"}'"])
    if kind in ('regtype', 'oid'):
        return rng.choice(["'numeric'::regtype", "'boolean'::regtype", "'int4'::regtype", "'shop.dst'::regtype", '0',
                           'NULL', '4294967295', "'record'::regtype", "'anyelement'::regtype", "'shop.ct'::regtype",
                           "'pg_class'::regclass::oid"])
    if kind in ('jsonb', 'json'):
        return rng.choice(['NULL', "'{}'", "'[]'", "'null'", "'[{\"item\": 1, \"quantity\": 1}]'",
                           "'[{\"item\": 1}, {\"item\": 1}]'", "'[{\"item\": null, \"quantity\": -1}]'", "'[[[[]]]]'",
                           "'\"x\"'", '\'{"a": 1e400}\'',
                           "'[{\"quantity\": 99999999999999999999}]'",
                           "('[' || repeat('[', 5000) || repeat(']', 5001))::%s" % kind,
                           "jsonb_build_object('k', repeat('x', 100000))"])
    if kind.startswith('reg'):
        return rng.choice(['NULL', '0', "'pg_class'", '4294967295'])
    return rng.choice(['NULL', "'1'", "'{}'", 'NULL::%s' % kind])


def text_argument(rng, name, shape, usual):
    if name in ('condition', 'query', 'expression', 'refuse_when', 'fulfilled') or name.endswith('_expression'):
        # Conditions are odd by themselves.
        condition = rng.choice(CONDITIONS if usual or rng.random() < 0.7 else TEXTS)
        return quote(condition.replace('t0',
                                       shape.name[5:])) if name != 'query' else quote('SELECT (%s)::text FROM %s AS o'
                                                                                      % (condition, shape.name))
    if name in ('refund_due', 'amount'):
        return quote(rng.choice(EXPRESSIONS)) if rng.random() < 0.7 else 'NULL'
    if not usual:
        return rng.choice(['NULL', odd_text(rng), odd_text(rng)])
    usual_words = {
        'reason': ["'out_of_stock'", "'customer_changed_mind'", 'NULL', "'other'"], 'note': ["'n'", 'NULL', "'a note'"],
        'actor': ['NULL', "'anna'"],
        'request_key': ['NULL', 'NULL', "'rk%d'" % rng.randint(1, 5), 'gen_random_uuid()::text'],
        'method': ["'bank_transfer'", "'credit_card'", "'cash'"], 'reference': ['NULL', "'ref'"],
        'on_error': ["'skip'", "'skip'", "'abort'"], 'policy': ["'default'", "'other'"],
        'preset': ['NULL', 'NULL', "'vtex'", "'spryker'", "'cafe24'"], 'placed_at': ["'placed_at'", 'NULL'],
        'policy_by': ["'policy_by'", 'NULL'], 'status': ["'status'", shape.word(rng)],
        'notify_channel': ["'ordcancel'", "'c'"],
        'verb': ["'cancel_order'", "'request_cancel'", "'undo_cancel'", "'update'", "'deny_cancel'"],
        'party': ["'customer'", "'merchant'", 'NULL'],
        'state': ["'none'", "'requested'", "'in_progress'", "'canceled'"], 'role': ["'f_customer'", "'f_merchant'"],
        'name': ["'b'", "'b2'"],
        'on_progress': ["'deny'", "'hold'", 'NULL'], 'on_timeout': ["'accept'", "'deny'", 'NULL'],
        'undo': ["'canceled'", "'never'", 'NULL'], 'hint': ["'a hint'", 'NULL'],
        'customer': ["'cancel'", "'request'", "'forbid'"], 'customer_late': ["'cancel'", 'NULL'],
        'merchant': ["'cancel'", "'request'"], 'suffix': ["'_cancellation'"], 'kind': ["'guard_child'"]}
    if name.endswith('_status'):
        return shape.word(rng)
    return rng.choice(usual_words.get(name, ["'x'", quote(rng.choice(TEXTS))]))


def setting(rng, parallel, discard):
    value = rng.choice(SETTINGS).format(parallel=parallel, discard=discard)
    return 'SET ' + value


def report(rng):
    return rng.choice(REPORTS)
