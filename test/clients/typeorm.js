// TypeORM
const { DataSource, EntitySchema, QueryFailedError } = require('typeorm');
const { equal, meanwhile, run } = require('./tap');

const Order = new EntitySchema({
  name: 'Order',
  schema: 'shop',
  tableName: 'orders',
  columns: {
    id: { type: 'int', primary: true },
    status: { type: 'text' },
    gift_note: { type: 'text', nullable: true },
  },
});

async function cancel(manager, orderId, reason, actor) {
  try {
    const [row] = await manager.query(
      `SELECT state FROM ordcancel.cancel_order('shop.orders', $1, $2, actor => $3)`,
      [orderId, reason, actor]);
    return row.state;
  } catch (error) {
    if (!(error instanceof QueryFailedError) || !/^OC/.test(error.driverError.code)) throw error;
    return `${error.driverError.code}: ${error.driverError.hint ?? error.message}`;
  }
}

async function save(repository, order) {
  try {
    await repository.save(order);
    return 'saved';
  } catch (error) {
    if (!(error instanceof QueryFailedError) || error.driverError.code !== '23514') throw error;
    return error.driverError.constraint;
  }
}

async function actingAs(source, party, actor, work) {
  return source.transaction(async (manager) => {
    await manager.query(`SELECT set_config('ordcancel.party', $1, true), set_config('ordcancel.actor', $2, true)`,
      [party, actor]);
    return work(manager);
  });
}

async function listen(source, heard) {
  const client = await source.driver.master.connect();     // of the pool, and never given back
  client.on('notification', ({ payload }) => heard(JSON.parse(payload)));
  await client.query('LISTEN ordcancel');
}

run(async () => {
  const source = new DataSource({
    type: 'postgres', host: process.env.PGHOST, port: Number(process.env.PGPORT), username: process.env.PGUSER,
    database: process.env.PGDATABASE, entities: [Order],
  });
  await source.initialize();
  const orders = source.getRepository(Order);

  let tell;
  const heard = new Promise((resolve) => { tell = resolve; });
  await listen(source, tell);
  equal(await cancel(source.manager, 1, 'out_of_stock', 'anna'), 'canceled', 'a call');
  equal((await heard).order_id, '1', 'a notification arrives');
  equal(await cancel(source.manager, 21, null, null), 'OC003: Process it as a return.', 'a refusal');
  equal(await cancel(source.manager, 99, null, null), 'OC002: order 99 of shop.orders not found', 'one without a HINT');
  const shipped = await orders.findOneBy({ id: 21 });
  shipped.status = 'canceled';
  equal(await save(orders, shipped), 'cancellation_forbidden', 'a refusal of a plain update');

  // save() reads the order again and writes all that differs from the object: the
  // status too, if somebody has changed it meanwhile.
  const order = await orders.findOneBy({ id: 5 });
  await meanwhile(`SELECT ordcancel.cancel_order('shop.orders', 5)`);
  order.gift_note = 'Happy birthday';
  equal(await save(orders, order), 'order_is_canceled', 'a stale save is refused');
  const asked = await orders.findOneBy({ id: 9 });
  await meanwhile(`SELECT ordcancel.request_cancel('shop.orders', 9)`);
  asked.gift_note = 'Happy birthday';
  equal(await save(orders, asked), 'order_on_hold', 'while a request is open too');
  equal((await orders.findOneBy({ id: 9 })).status, 'cancellation_requested', 'and the request stays open');
  await orders.update({ id: 5 }, { gift_note: 'Happy birthday' });
  equal((await orders.findOneBy({ id: 5 })).status, 'canceled', 'update() writes what it is given');

  await actingAs(source, 'merchant', 'kim', (manager) => manager.update(Order, { id: 6 }, { status: 'canceled' }));
  equal(await meanwhile(`SELECT actor FROM ordcancel.event WHERE order_key = '6'`), 'kim',
    'a plain update says who acts');
  await actingAs(source, 'customer', 'shopper 4711',
    (manager) => manager.update(Order, { id: 10 }, { status: 'cancellation_requested' }));
  equal(await meanwhile(`SELECT party || ', ' || actor FROM ordcancel.event WHERE order_key = '10'`),
    'customer, shopper 4711', 'and for which party');
});
