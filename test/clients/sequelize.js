// Sequelize
const { DatabaseError, DataTypes, Sequelize } = require('sequelize');
const { equal, meanwhile, run } = require('./tap');

async function cancel(sequelize, orderId, reason, actor) {
  try {
    const [row] = await sequelize.query(
      `SELECT state FROM ordcancel.cancel_order('shop.orders', $1, $2, actor => $3)`,
      { bind: [orderId, reason, actor], type: Sequelize.QueryTypes.SELECT });
    return row.state;
  } catch (error) {
    if (!(error instanceof DatabaseError) || !/^OC/.test(error.original.code)) throw error;
    return `${error.original.code}: ${error.original.hint ?? error.message}`;
  }
}

async function save(order, options) {
  try {
    await order.save(options);
    return 'saved';
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.original.code !== '23514') throw error;
    await order.reload();
    return error.original.constraint;
  }
}

run(async () => {
  const sequelize = new Sequelize({
    dialect: 'postgres', host: process.env.PGHOST, port: Number(process.env.PGPORT), username: process.env.PGUSER,
    database: process.env.PGDATABASE, logging: false,
  });
  const Order = sequelize.define('Order', {
    id: { type: DataTypes.INTEGER, primaryKey: true },
    status: DataTypes.TEXT,
    gift_note: DataTypes.TEXT,
  }, { schema: 'shop', tableName: 'orders', timestamps: false });

  const ear = await sequelize.connectionManager.getConnection();
  const heard = new Promise((resolve) => { ear.once('notification', resolve); });
  await ear.query('LISTEN ordcancel');
  equal(await cancel(sequelize, 1, 'out_of_stock', 'anna'), 'canceled', 'a call');
  equal(JSON.parse((await heard).payload).order_id, '1', 'a notification arrives');
  equal(await cancel(sequelize, 21, null, null), 'OC003: Process it as a return.', 'a refusal');
  equal(await cancel(sequelize, 99, null, null), 'OC002: order 99 of shop.orders not found', 'one without a HINT');
  const shipped = await Order.findByPk(21);
  shipped.status = 'canceled';
  equal(await save(shipped), 'cancellation_forbidden', 'a refusal of a plain update');
  equal(shipped.status, 'shipped', 'after which the object is as the order is');

  // save() writes what was changed. upsert() and update() of a whole object do not.
  const order = await Order.findByPk(5);
  await meanwhile(`SELECT ordcancel.cancel_order('shop.orders', 5)`);
  const form = order.get();
  order.gift_note = 'Happy birthday';
  equal(await save(order), 'saved', 'a change of another column passes');
  order.set(form);
  order.changed('status', true);
  equal(await save(order), 'order_is_canceled', 'a stale object that is written whole is refused');

  const asked = await Order.findByPk(9);
  await meanwhile(`SELECT ordcancel.request_cancel('shop.orders', 9)`);
  asked.changed('status', true);
  equal(await save(asked), 'order_on_hold', 'while a request is open too');

  await sequelize.transaction(async (transaction) => {
    await sequelize.query(`SELECT set_config('ordcancel.actor', $1, true)`, { bind: ['kim'], transaction });
    await Order.update({ status: 'canceled' }, { where: { id: 6 }, transaction });
  });
  equal(await meanwhile(`SELECT actor FROM ordcancel.event WHERE order_key = '6'`), 'kim',
    'a plain update says who acts');
});
