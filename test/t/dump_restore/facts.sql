-- All that a restored database has to have in common with the dumped one; to be
-- sorted by the caller.
\pset format unaligned
\pset tuples_only on
SET search_path = '';
SET timezone = 'UTC';
SELECT 'order_table', to_jsonb(t) FROM ordcancel.order_table AS t;
SELECT 'policy', to_jsonb(t) FROM ordcancel.policy AS t;
SELECT 'rule', to_jsonb(t) FROM ordcancel.rule AS t;
SELECT 'policy_change', to_jsonb(t) FROM ordcancel.policy_change AS t;
SELECT 'block', to_jsonb(t) FROM ordcancel.block AS t;
SELECT 'also_set', to_jsonb(t) FROM ordcancel.also_set AS t;
SELECT 'child', to_jsonb(t) FROM ordcancel.child AS t;
SELECT 'item_table', to_jsonb(t) FROM ordcancel.item_table AS t;
SELECT 'cancellation_item', tableoid::regclass, to_jsonb(t) FROM ordcancel.cancellation_item AS t;
SELECT 'preset', to_jsonb(t) FROM ordcancel.preset AS t;
SELECT 'shipments', to_jsonb(t) FROM shop.shipments AS t;
SELECT 'reason', to_jsonb(t) FROM ordcancel.reason AS t;
SELECT 'refund_method', to_jsonb(t) FROM ordcancel.refund_method AS t;
SELECT 'cancellation', tableoid::regclass, to_jsonb(t) FROM ordcancel.cancellation AS t;
SELECT 'event', tableoid::regclass, to_jsonb(t) - '{xid,cluster}'::text[] FROM ordcancel.event AS t;
SELECT 'orders', to_jsonb(t) FROM shop.orders AS t;
SELECT 'Bestellungen', to_jsonb(t) FROM "Söhne & Co"."Die ""Bestellungen"" mit einem Namen, der sehr lang ist" AS t;
SELECT 'bestellungen records', to_jsonb(c) FROM ordcancel.cancellation AS c WHERE order_key ~ 'X';
SELECT 'plain', to_jsonb(t), to_jsonb(c), to_jsonb(e) - '{xid,cluster}'::text[]
FROM shop.plain AS t LEFT JOIN shop.plain_cancellation AS c USING (no)
    LEFT JOIN shop.plain_cancellation_event AS e USING (cancellation_id);
SELECT 'parts', tableoid::regclass, to_jsonb(t) FROM shop.parts AS t;
SELECT 'sequence', sequencename, last_value FROM pg_sequences WHERE schemaname = 'ordcancel';
SELECT 'trigger', tgrelid::regclass, tgname, tgenabled, tgparentid <> 0, pg_get_triggerdef(oid)
FROM pg_trigger WHERE NOT tgisinternal;
SELECT 'inherits', inhrelid::regclass, inhparent::regclass FROM pg_inherits
WHERE inhparent IN ('ordcancel.cancellation'::regclass, 'ordcancel.event'::regclass,
                    'ordcancel.cancellation_item'::regclass)
   OR inhparent::regclass::text ~ '_cancellation|mit einem';
SELECT 'index', indexrelid::regclass, pg_get_indexdef(indexrelid) FROM pg_index
WHERE indrelid::regclass::text ~ '_cancellation';
SELECT 'relation', oid::regclass, relkind, pg_get_userbyid(relowner), relacl, obj_description(oid, 'pg_class')
FROM pg_class WHERE relnamespace::regnamespace::text IN ('shop', 'ordcancel', '"Söhne & Co"');
SELECT 'function', oid::regprocedure, proacl FROM pg_proc WHERE pronamespace = 'ordcancel'::regnamespace;
SELECT 'member', pg_describe_object(classid, objid, objsubid) FROM pg_depend
WHERE refclassid = 'pg_extension'::regclass AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'ordcancel');
