// MikroORM
const { CheckConstraintViolationException, DriverException, EntitySchema, MikroORM } = require('@mikro-orm/postgresql');
const { equal, meanwhile, run } = require('./tap');

const Order = new EntitySchema({
  name: 'Order',
  schema: 'shop',
  tableName: 'orders',
  properties: {
    id: { type: 'integer', primary: true },
    status: { type: 'text' },
    gift_note: { type: 'text', nullable: true },
  },
});

async function cancel(em, order, reason, actor) {
  try {
    const [row] = await em.execute(
      `SELECT state FROM ordcancel.cancel_order('shop.orders', ?, ?, actor => ?)`,
      [order.id, reason, actor]);
    await em.refresh(order);
    return row.state;
  } catch (error) {
    if (!(error instanceof DriverException) || !/^OC/.test(error.code)) throw error;
    return `${error.code}: ${error.hint ?? error.message}`;
  }
}

async function save(em) {
  try {
    await em.flush();
    return 'saved';
  } catch (error) {
    if (!(error instanceof CheckConstraintViolationException)) throw error;
    em.clear();
    return error.constraint;
  }
}

run(async () => {
  const orm = await MikroORM.init({
    entities: [Order], host: process.env.PGHOST, port: Number(process.env.PGPORT), user: process.env.PGUSER,
    dbName: process.env.PGDATABASE,
  });
  const em = orm.em.fork();

  equal(await cancel(em, await em.findOne('Order', 1), 'out_of_stock', 'anna'), 'canceled', 'a call');
  equal((await em.findOne('Order', 1)).status, 'canceled', 'and the object knows of it');
  equal(await cancel(em, await em.findOne('Order', 21), null, null), 'OC003: Process it as a return.', 'a refusal');
  (await em.findOne('Order', 21)).status = 'canceled';
  equal(await save(em), 'cancellation_forbidden', 'a refusal of a plain update');

  const order = await em.findOne('Order', 5);
  await meanwhile(`SELECT ordcancel.cancel_order('shop.orders', 5)`);
  order.gift_note = 'Happy birthday';
  equal(await save(em), 'saved', 'a change of another column passes');
  await em.upsert('Order', { id: 5, status: 'placed', gift_note: null }).then(
    () => equal('saved', 'refused', 'a stale object that is written whole is refused'),
    (error) => equal(error.constraint, 'order_is_canceled', 'a stale object that is written whole is refused'));
  em.clear();
  await meanwhile(`SELECT ordcancel.request_cancel('shop.orders', 9)`);
  await em.upsert('Order', { id: 9, status: 'placed', gift_note: null }).then(
    () => equal('saved', 'refused', 'while a request is open too'),
    (error) => equal(error.constraint, 'order_on_hold', 'while a request is open too'));
  em.clear();

  await em.transactional(async (inner) => {
    await inner.execute(`SELECT set_config('ordcancel.actor', ?, true)`, ['kim']);
    (await inner.findOne('Order', 6)).status = 'canceled';
  });
  equal(await meanwhile(`SELECT actor FROM ordcancel.event WHERE order_key = '6'`), 'kim',
    'a plain update says who acts');
});
