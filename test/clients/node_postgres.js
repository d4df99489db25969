// node-postgres
const { Client } = require('pg');
const { equal, meanwhile, run } = require('./tap');

async function cancel(db, orderId, reason, actor) {
  try {
    const { rows } = await db.query(
      `SELECT state FROM ordcancel.cancel_order('shop.orders', $1, $2, actor => $3)`,
      [orderId, reason, actor]);
    return rows[0].state;
  } catch (error) {
    if (!/^OC/.test(error.code)) throw error;
    return `${error.code}: ${error.hint ?? error.message}`;
  }
}

async function save(db, order) {
  try {
    await db.query('UPDATE shop.orders SET status = $2, gift_note = $3 WHERE id = $1',
      [order.id, order.status, order.gift_note]);
    return 'saved';
  } catch (error) {
    if (error.code !== '23514') throw error;
    return error.constraint;
  }
}

async function asKim(db, orderId) {
  await db.query('BEGIN');
  await db.query(`SELECT set_config('ordcancel.actor', $1, true)`, ['kim']);
  await db.query(`UPDATE shop.orders SET status = 'canceled' WHERE id = $1`, [orderId]);
  await db.query('COMMIT');
}

function nextEvent(db) {
  return new Promise((resolve) => {
    db.once('notification', ({ payload }) => resolve(JSON.parse(payload)));
  });
}

run(async () => {
  const db = new Client();
  await db.connect();
  const ear = new Client();
  await ear.connect();
  await ear.query('LISTEN ordcancel');

  const heard = nextEvent(ear);
  equal(await cancel(db, 1, 'out_of_stock', 'anna'), 'canceled', 'a call');
  equal((await heard).order_id, '1', 'a notification arrives');
  equal(await cancel(db, '2', null, null), 'canceled', 'the key as text, and no reason');
  equal((await db.query('SELECT state FROM ordcancel.cancel_order($1, $2::int)', ['shop.orders', 3])).rows[0].state,
    'canceled', 'the table as a parameter, and a cast');
  equal((await db.query(`SELECT outcome FROM ordcancel.cancel_orders('shop.orders', $1::int[])`, [[4, 21]])).rows
    .map((row) => row.outcome), ['canceled', 'refused'], 'an array of orders');
  equal(await cancel(db, 21, null, null), 'OC003: Process it as a return.', 'a refusal');
  equal(await cancel(db, 99, null, null), 'OC002: order 99 of shop.orders not found', 'one without a HINT');

  const order = (await db.query('SELECT * FROM shop.orders WHERE id = 5')).rows[0];
  await meanwhile(`SELECT ordcancel.cancel_order('shop.orders', 5)`);
  order.gift_note = 'Happy birthday';
  equal(await save(db, order), 'order_is_canceled', 'a stale save of an order that is canceled');

  const asked = (await db.query('SELECT * FROM shop.orders WHERE id = 9')).rows[0];
  await meanwhile(`SELECT ordcancel.request_cancel('shop.orders', 9)`);
  asked.gift_note = 'Happy birthday';
  equal(await save(db, asked), 'order_on_hold', 'and of one that the customer wants to cancel');

  await asKim(db, 6);
  equal(await meanwhile(`SELECT actor FROM ordcancel.event WHERE order_key = '6'`), 'kim',
    'a plain update says who acts');
});
