-- ordcancel.policy_change: each call that changes the rules of a table leaves
-- one row, a call that changes nothing leaves none.
BEGIN;
SELECT plan(59);
\ir include/helpers.sql
SET LOCAL client_min_messages = warning;

CREATE ROLE changes_owner;
CREATE ROLE changes_other;
SELECT ordcancel.grant_owner('changes_owner');
CREATE SCHEMA shop AUTHORIZATION changes_owner;
GRANT USAGE ON SCHEMA shop TO changes_other;
SET LOCAL ROLE changes_owner;
CREATE TABLE shop.orders (id integer PRIMARY KEY, status text, at timestamptz, note text, kind text);
RESET ROLE;

-- What a call returns, and the rows that it left: policy: what.
CREATE FUNCTION changed_by(call text) RETURNS text
    LANGUAGE plpgsql AS $$
DECLARE
    before bigint := (SELECT max(change_no) FROM ordcancel.policy_change);
    result text;
BEGIN
    SET LOCAL ROLE changes_owner;
    EXECUTE 'SELECT ordcancel.' || call INTO result;
    RESET ROLE;
    RETURN (SELECT coalesce(string_agg(concat_ws(': ', coalesce(policy, '-'), what), ' | ' ORDER BY change_no),
                            'nothing')
                   || CASE result WHEN string_agg('shop.orders: ' || what, '') THEN ''
                                  WHEN 'true' THEN '' ELSE ' (' || result || ')' END
            FROM ordcancel.policy_change WHERE change_no > before OR before IS NULL);
END
$$;

-- ------------------------------------------------------- what is recorded

SET LOCAL ordcancel.clock = '2026-05-05 12:00+00';
SELECT is(changed_by($$attach('shop.orders', 'status')$$),
          '-: attached; status: status; primary key: id; records in shop.orders_cancellation and'
          ' shop.orders_cancellation_event', 'attach');
SELECT is(changed_by($$attach('shop.orders')$$), 'nothing (shop.orders: attached again, nothing changed)',
          'attach again, without a change');
SET LOCAL ordcancel.clock = '2026-05-05 13:00+00';
SELECT is(changed_by($$attach('shop.orders', placed_at => 'at', policy_by => 'kind')$$),
          '-: attached again, placed_at: none -> at; policy_by: none -> kind', 'attach again, with one');
SELECT is(changed_by($$set_policy('shop.orders', grace => '30 minutes', canceled_status => 'canceled')$$),
          'default: policy "default", grace: none -> 00:30:00; canceled_status: none -> canceled', 'set_policy');
SELECT is(changed_by($$set_policy('shop.orders', grace => '30 minutes')$$),
          'nothing (shop.orders: policy "default", nothing changed)', 'to what it was');
SELECT is(changed_by($$set_rule('shop.orders', 'new', customer => 'cancel', merchant => 'cancel')$$),
          'default: policy "default", status "new": customer cancel, merchant cancel', 'set_rule');
SELECT is(changed_by($$set_rule('shop.orders', 'new', customer => 'cancel')$$),
          'nothing (shop.orders: policy "default", status "new": customer cancel, merchant cancel)', 'to what it was');
SELECT is(changed_by($$set_rule('shop.orders', 'new', hint => 'hurry')$$),
          'default: policy "default", status "new": customer cancel, merchant cancel', 'a hint is a change, too');
SELECT is(changed_by($$set_rule('shop.orders', 'void')$$),
          'default: policy "default", status "void": customer forbid, merchant forbid', 'so is a rule that forbids');
SELECT is(changed_by($$set_policy('shop.orders', 'gold')$$),
          'gold: policy "gold" is new, a copy of "default", nothing changed', 'a new policy');
SELECT is(changed_by($$set_policy('shop.orders', 'gold')$$),
          'nothing (shop.orders: policy "gold", nothing changed)', 'that is there');
SELECT is(changed_by($$drop_rule('shop.orders', 'void', 'gold')$$),
          'gold: policy "gold", status "void": rule dropped', 'drop_rule');
SELECT is(changed_by($$drop_rule('shop.orders', 'void', 'gold')$$), 'nothing (false)', 'that is not there');
SELECT is(changed_by($$drop_policy('shop.orders', 'gold')$$), 'gold: policy "gold": dropped', 'drop_policy');
SELECT is(changed_by($$drop_policy('shop.orders', 'gold')$$), 'nothing (false)', 'that is not there');
SELECT is(changed_by($$add_block('shop.orders', 'held', 'note IS NOT NULL')$$),
          '-: block "held": customer and merchant cannot cancel while note IS NOT NULL', 'add_block');
SELECT is(changed_by($$add_block('shop.orders', 'held', 'note IS NOT NULL')$$),
          'nothing (shop.orders: block "held": customer and merchant cannot cancel while note IS NOT NULL)',
          'to what it was');
SELECT is(changed_by($$add_block('shop.orders', 'held', 'note IS NOT NULL', 'see the note')$$),
          '-: block "held": customer and merchant cannot cancel while note IS NOT NULL', 'with a hint');
SELECT is(changed_by($$drop_block('shop.orders', 'held')$$), '-: block "held": dropped', 'drop_block');
SELECT is(changed_by($$drop_block('shop.orders', 'held')$$), 'nothing (false)', 'that is not there');
SELECT is(changed_by($$apply_preset('shop.orders', 'zaikio', 'z')$$),
          'z: policy "z" copied from Zaikio Procurement: 7 rules, 0 new reasons', 'apply_preset: one row');
SELECT is(changed_by($$apply_preset('shop.orders', 'zaikio', 'z')$$),
          'nothing (shop.orders: policy "z" copied from Zaikio Procurement: 7 rules, 0 new reasons)', 'as it was');
SELECT is(changed_by($$attach('shop.orders', preset => 'kibo')$$),
          '-: attached again, nothing changed; policy "default" copied from Kibo Order Management: 4 rules,'
          ' 6 new reasons',
          'attach with a preset: one row');
SELECT is(changed_by($$attach('shop.orders', preset => 'kibo')$$),
          'nothing (shop.orders: attached again, nothing changed; policy "default" copied from Kibo Order Management:'
          ' 4 rules, 0 new reasons)', 'as it was');

SELECT is((SELECT array_agg(change_no ORDER BY change_no) FROM ordcancel.policy_change),
          (SELECT array_agg(n) FROM generate_series(1::bigint, 14) AS n), 'numbered without gaps');
SELECT is((SELECT string_agg(DISTINCT concat_ws(' ', orders, changed_by), ', ') FROM ordcancel.policy_change),
          'shop.orders changes_owner', 'all of this table, by the role that called');
SELECT is((SELECT array_agg(DISTINCT changed_at ORDER BY changed_at) FROM ordcancel.policy_change),
          '{2026-05-05 12:00+00,2026-05-05 13:00+00}'::timestamptz[], 'at the time of ordcancel.clock');
SET LOCAL ordcancel.clock = '';
SELECT ordcancel.set_policy('shop.orders', undo => 'never');
SELECT ordcancel.set_policy('shop.orders', undo => 'canceled');
SELECT is((SELECT concat_ws(' ', changed_at <= clock_timestamp() AND changed_at >= now(), changed_by = current_user)
           FROM ordcancel.policy_change ORDER BY change_no DESC LIMIT 1), 't t', 'or now; a superuser can do it');
SELECT ordcancel.set_policy('shop.orders', policy => repeat('p', 999));
SELECT is((SELECT length(what) FROM ordcancel.policy_change ORDER BY change_no DESC LIMIT 1), 1000, 'cut, if long');
SELECT ordcancel.drop_policy('shop.orders', repeat('p', 999));

SET LOCAL ROLE changes_owner;
CREATE TABLE shop.parcel (order_id integer, sent boolean);
CREATE TABLE shop.others (id integer PRIMARY KEY, status text);
RESET ROLE;
SELECT is(changed_by($$attach_child('shop.parcel', 'shop.orders', '{order_id}')$$),
          '-: guard "default" of child shop.parcel: refuses rows while requested, in_progress, canceled; the key is'
          ' (order_id) ()', 'attach_child');
SELECT is(changed_by($$attach_child('shop.parcel', 'shop.orders', '{order_id}')$$), 'nothing ()', 'to what it was');
SELECT is(changed_by($$attach_child('shop.parcel', 'shop.orders', '{order_id}', '{canceled}', 'sent')$$),
          '-: guard "default" of child shop.parcel: refuses rows with (sent) while canceled; the key is (order_id) ()',
          'with a condition');
SELECT is(changed_by($$attach_child('shop.parcel', 'shop.orders', key_expression => '1', name => 'b')$$),
          '-: guard "b" of child shop.parcel: refuses rows while requested, in_progress, canceled; the key is 1 ()',
          'a second one');
SELECT is(changed_by($$detach_child('shop.parcel', 'b')$$), '-: guard "b" of child shop.parcel: dropped',
          'detach_child');
SELECT is(changed_by($$detach_child('shop.parcel', 'b')$$), 'nothing (false)', 'that is not there');
SELECT ordcancel.attach('shop.others', 'status');
SELECT ordcancel.attach_child('shop.parcel', 'shop.others', '{order_id}');
SELECT is((SELECT string_agg(orders || ': ' || what, ' | ' ORDER BY orders::text)
           FROM (SELECT DISTINCT ON (orders) * FROM ordcancel.policy_change ORDER BY orders, change_no DESC) AS p),
          'shop.orders: guard "default" of child shop.parcel: dropped | shop.others: guard "default" of child '
          'shop.parcel: refuses rows while requested, in_progress, canceled; the key is (order_id)',
          'one that goes to other orders');
SELECT ordcancel.detach('shop.others');

-- Every function that the owner of a table can call was tried above, or changes
-- no rules. A new one has to be added here or there.
SELECT is(ARRAY(SELECT DISTINCT proname::text FROM pg_proc
                WHERE pronamespace = 'ordcancel'::regnamespace AND prosrc = 'ordcancel_owner_gate'
                  AND proname <> ALL ('{detach,replace_table,guard_partitions,make_call_table,attach_items,'
                                      'detach_items,health,'
                                      'export_setup}') ORDER BY 1),
          '{add_block,also_set,apply_preset,attach,attach_child,detach_child,drop_also_set,drop_block,drop_policy,'
          'drop_rule,set_policy,set_rule}',
          'no function is new');

-- What was recorded is what was changed: without a row nothing changes.
CREATE FUNCTION rules() RETURNS text
    LANGUAGE sql AS $$
SELECT concat((SELECT jsonb_agg(p ORDER BY policy) FROM ordcancel.policy AS p),
              (SELECT jsonb_agg(r ORDER BY policy, status) FROM ordcancel.rule AS r),
              (SELECT jsonb_agg(b ORDER BY name) FROM ordcancel.block AS b),
              (SELECT jsonb_agg(c ORDER BY name) FROM ordcancel.child AS c),
              (SELECT jsonb_agg(s ORDER BY state) FROM ordcancel.also_set AS s),
              (SELECT jsonb_agg(t) FROM ordcancel.order_table AS t)) $$;
CREATE TEMP TABLE tried (call text, changed boolean, recorded bigint);
DO $$
DECLARE
    call text;
    was text;
    before bigint;
BEGIN
    PERFORM setseed(0.15);
    FOR i IN 1..300 LOOP
        was := rules();
        before := (SELECT count(*) FROM ordcancel.policy_change);
        call := format((ARRAY[
            'set_policy(%L, %L, grace => %L, undo => %L)', 'set_rule(%L, ''new'', policy => %L, customer => %4$L)',
            'drop_rule(%L, ''new'', %L)', 'drop_policy(%L, %L)', 'add_block(%L, %L, %L)', 'drop_block(%L, %L)',
            'apply_preset(%L, ''zaikio'', %L)', 'attach(%1$L, notify_channel => %2$L, preset => %5$L)',
            'set_policy(%L, %L, unset => ''{grace}'')',
            'attach_child(''shop.parcel'', %L, ''{order_id}'', name => %L, refuse_when => %L)',
            'detach_child(''shop.parcel'', %2$L)', 'also_set(%1$L, %5$L, ''note'', %3$L)',
            'drop_also_set(%1$L, %5$L, ''note'')'])[1 + floor(random() * 13)],
            'shop.orders', (ARRAY['default', 'a', 'b'])[1 + floor(random() * 3)],
            (ARRAY['1', '2'])[1 + floor(random() * 2)],
            (ARRAY['never', 'cancel', 'requested'])[1 + floor(random() * 3)],
            (ARRAY[NULL, 'kibo', 'canceled'])[1 + floor(random() * 3)]);
        call := attempt('SELECT ordcancel.' || call) || ' ' || call;
        INSERT INTO tried SELECT call, was <> rules(), count(*) - before FROM ordcancel.policy_change;
    END LOOP;
END
$$;
SELECT cmp_ok(count(*) FILTER (WHERE changed AND call ~ '^ok'), '>', 60::bigint, 'calls that change') FROM tried;
SELECT cmp_ok(count(*) FILTER (WHERE NOT changed AND call ~ '^ok'), '>', 60::bigint, 'calls that do not') FROM tried;
SELECT cmp_ok(count(*) FILTER (WHERE call !~ '^ok'), '>', 20::bigint, 'calls that fail') FROM tried;
SELECT is_empty('SELECT * FROM tried WHERE recorded <> changed::integer', 'one row where something changed, else none');

-- ------------------------------------------------------- what is not

SELECT is((SELECT max(change_no) FROM ordcancel.policy_change), (SELECT count(*) FROM ordcancel.policy_change),
          'no gaps');
SAVEPOINT s;
SELECT ordcancel.set_policy('shop.orders', decision_timeout => '1 day', on_timeout => 'deny');
ROLLBACK TO s;
SELECT is((SELECT count(*) FROM ordcancel.policy_change WHERE what ~ 'decision_timeout'), 0::bigint, 'rolled back');

-- ------------------------------------------------------- who may read and write

SELECT is(attempt_as('changes_other', 'SELECT FROM ordcancel.policy_change'), 'ok', 'anybody may read it');
SELECT is(attempt_as(role, statement), '42501', role || ': ' || statement)
FROM unnest('{changes_other,changes_owner}'::name[]) AS role,
     unnest(ARRAY['INSERT INTO ordcancel.policy_change (change_no) VALUES (1)',
                  'UPDATE ordcancel.policy_change SET what = ''''',
                  'DELETE FROM ordcancel.policy_change', 'TRUNCATE ordcancel.policy_change']) AS statement;
GRANT pg_write_all_data TO changes_other;
SELECT is(attempt_as('changes_other', 'DELETE FROM ordcancel.policy_change'), '23514 written_by_ordcancel',
          'nobody writes it');

-- ------------------------------------------------------- with the table

ALTER TABLE shop.orders RENAME TO "Bestellungen";
SELECT is((SELECT string_agg(DISTINCT orders::text, ', ') FROM ordcancel.policy_change), 'shop."Bestellungen"',
          'it follows when the table is renamed');
SELECT is(split_part(ordcancel.set_policy('shop."Bestellungen"', grace => '3 hours'), ': ', 1), 'shop."Bestellungen"',
          'and goes on');
SET LOCAL ROLE changes_owner;
CREATE TABLE shop.orders (LIKE shop."Bestellungen" INCLUDING ALL);
RESET ROLE;
CREATE TEMP TABLE kept AS SELECT change_no, what FROM ordcancel.policy_change;
SELECT ordcancel.replace_table('shop."Bestellungen"', 'shop.orders');
SELECT set_eq('SELECT orders::text, change_no, what FROM ordcancel.policy_change',
              'SELECT ''shop.orders'', change_no, what FROM kept', 'or replaced, which changes no rule');
SELECT ordcancel.detach('shop.orders');
SELECT is_empty('SELECT FROM ordcancel.policy_change', 'detach forgets it with the rules');
SELECT ordcancel.attach('shop.orders', 'status');
SELECT is((SELECT concat_ws(' ', change_no, left(what, 8)) FROM ordcancel.policy_change), '1 attached',
          'and begins anew');
DROP TABLE shop.orders;
SELECT is_empty('SELECT FROM ordcancel.policy_change', 'so does DROP TABLE');

SELECT * FROM finish();
ROLLBACK;
