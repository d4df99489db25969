// PostGraphile: mutations of functions that are told apart by name.
const { graphql } = require('graphql');
const { Pool } = require('pg');
const { createPostGraphileSchema, withPostGraphileContext } = require('postgraphile');
const { equal, meanwhile, run } = require('./tap');

run(async () => {
  const pgPool = new Pool();
  const mutations = async (name) => {
    const type = (await createPostGraphileSchema(pgPool, [name])).getMutationType();
    return type ? Object.keys(type.getFields()) : [];
  };
  equal(await mutations('ordcancel'), [], 'what belongs to an extension is not offered');
  equal(await mutations('api'), ['cancelOrder', 'requestCancel'], 'wrappers are');

  const schema = await createPostGraphileSchema(pgPool, ['api']);
  const call = (text) => withPostGraphileContext({ pgPool, pgSettings: { 'ordcancel.actor': 'kim' } },
    (context) => graphql(schema, text, null, context));
  equal(JSON.parse(JSON.stringify(await call(
    'mutation { cancelOrder(input: {id: 1, reason: "out_of_stock"})'
      + ' { results { state changed orderStatus } } }'))).data,
  { cancelOrder: { results: [{ state: 'canceled', changed: true, orderStatus: 'canceled' }] } }, 'a call');
  equal(await meanwhile(`SELECT actor FROM ordcancel.event WHERE order_key = '1'`), 'kim',
    'settings are those of the request');
  const { errors: [error] } = await call('mutation { cancelOrder(input: {id: 21}) { results { state } } }');
  equal([error.originalError.code, error.originalError.hint], ['OC003', 'Process it as a return.'], 'a refusal');
});
