// What differs with ordcancel: cancellations made in SQL, refusals, and races.
const { equal } = require('../../clients/tap');
const { allLines } = require('./client');

const ROUNDS = Number(process.env.ROUNDS ?? 4);

// Cancellations of orders in every condition, which CANCEL makes, and what the API
// says afterwards.
const cancellations = {
  async 'an authorized order'(shop, cancel) {
    const order = await shop.place('authorized');
    await cancel(order.id, 'sold out');
    shop.say('order', await shop.admin.order(order.id));
    shop.say('next states', await shop.nextStates(order.id));
    shop.say('cancel again', await shop.admin.cancel(order.id));
    shop.say('fulfill', await shop.admin.fulfill(allLines(order)));
    shop.say('cancel the payment', await shop.admin.cancelPayment(order.payments[0].id));
    shop.say('note', await shop.admin.note(order.id, 'called them'));
  },

  async 'a settled order, refunded afterwards'(shop, cancel) {
    const order = await shop.place('settled');
    await cancel(order.id, 'sold out');
    shop.say('order', await shop.admin.order(order.id));
    const { id } = shop.say('refund', await shop.admin.refund(order.payments[0].id, 5300, 'sold out'));
    shop.say('settle the refund', await shop.admin.settleRefund(id));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'an order of which a part is canceled and another fulfilled'(shop, cancel) {
    const order = await shop.place('settled', 5, 3);
    const [cups] = order.lines;
    shop.say('cancel a cup', await shop.admin.cancel(order.id, { lines: [{ orderLineId: cups.id, quantity: 1 }] }));
    shop.say('fulfill two', await shop.admin.fulfill([{ orderLineId: cups.id, quantity: 2 }]));
    await cancel(order.id, 'sold out');
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'an order whose parcel came back'(shop, cancel) {
    const order = await shop.place('settled');
    const { id } = shop.say('fulfill', await shop.admin.fulfill(allLines(order)));
    shop.say('ship', await shop.admin.ship(id));
    shop.say('it came back', await shop.admin.ship(id, 'Cancelled'));
    await cancel(order.id, 'not accepted');
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'an order for which more is to be paid'(shop, cancel) {
    const order = await shop.place('authorized');
    shop.say('begin', await shop.admin.transition(order.id, 'Modifying'));
    shop.say('modify', await shop.admin.modify(order.id, { addItems: [{ productVariantId: '1', quantity: 1 }] }));
    shop.say('done', await shop.admin.transition(order.id, 'ArrangingAdditionalPayment'));
    await cancel(order.id, 'not paid');
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'a product whose stock is not tracked'(shop, cancel) {
    await shop.sql(`UPDATE product_variant SET "trackInventory" = 'FALSE' WHERE sku = 'plate'`);
    const order = await shop.place('settled');
    await cancel(order.id, 'sold out');
    shop.say('order', await shop.admin.order(order.id));
    await shop.sql(`UPDATE product_variant SET "trackInventory" = 'INHERIT' WHERE sku = 'plate'`);
    await cancel((await shop.place('settled')).id, 'sold out');
  },

  async 'a cart'(shop, cancel) {
    const shopper = await shop.cart();
    const { id } = shop.say('cart', await shopper.activeOrder());
    await cancel(id, 'abandoned');
    shop.say('active', await shopper.activeOrder());
    shop.say('order', await shop.admin.order(id));
    shop.say('add to a new one', await shopper.add('1', 1));
  },

  async 'a draft'(shop, cancel) {
    const { id } = shop.say('draft', await shop.admin.call('mutation { createDraftOrder { id } }'));
    shop.say('cups', await shop.admin.draftItem(id, '1', 2));
    await cancel(id, 'not wanted');
    shop.say('order', await shop.admin.order(id));
  },
};

// As a merchant who has no right to write to Vendure's tables.
async function cancelInSql(shop, id, note) {
  await shop.sql('SET ROLE vendure_merchant');
  try {
    return await shop.sql(`SELECT state FROM ordcancel.cancel_order('public.order', $1, note => $2, actor => 'anna')`,
      [id, note]);
  } finally {
    await shop.sql('RESET ROLE');
  }
}

async function compareCancellations(plain, ruled) {
  for (const [name, flow] of Object.entries(cancellations)) {
    plain.transcript = [];
    ruled.transcript = [];
    await Promise.all([
      flow(plain, (id, reason) => plain.admin.cancel(id, { reason })),
      flow(ruled, (id, note) => cancelInSql(ruled, id, note)),
    ]);
    equal(ruled.transcript, plain.transcript, `canceled in SQL, seen by the API as its own: ${name}`);
  }
}

async function refusals(plain, ruled) {
  const shipped = async (shop) => {
    const order = await shop.place('settled');
    const { id } = await shop.admin.fulfill(allLines(order));
    await shop.admin.ship(id);
    return [order.id, await shop.admin.cancel(order.id)];
  };
  const [, through] = await shipped(plain);
  equal([through.state, through.fulfillments[0].state], ['Cancelled', 'Shipped'],
    'without: an order is canceled though it is shipped');
  const [id, refused] = await shipped(ruled);
  equal(refused, {
    error: `cancellation of order ${id} of public."order" is blocked. `
      + 'Cancel the fulfillment first, or process the order as a return.',
    code: 'CONFLICT',
    condition: 'cancellation_blocked',
    hint: 'Cancel the fulfillment first, or process the order as a return.',
  }, 'with: it is refused, and the client sees the HINT');
  const { state, lines } = await ruled.admin.order(id);
  equal([state, lines.map(({ quantity }) => quantity)], ['Shipped', [2, 1]], 'and nothing of it is canceled');

  const late = async (shop, method, act) => {
    const order = await shop.place(method);
    const fulfillment = method === 'settled' && await shop.admin.fulfill(allLines(order));
    await shop.admin.cancel(order.id);
    const answer = await act(shop.admin, fulfillment || order.payments[0]);
    return answer.condition ?? answer.state;
  };
  const settle = (admin, payment) => admin.settle(payment.id);
  const ship = (admin, fulfillment) => admin.ship(fulfillment.id);
  equal(await late(plain, 'authorized', settle), 'Settled', 'without: the payment of a canceled order is captured');
  equal(await late(plain, 'settled', ship), 'Shipped', 'without: the parcel of a canceled order is shipped');
  equal(await late(ruled, 'authorized', settle), 'order_is_canceled', 'with: the payment is refused');
  equal(await late(ruled, 'settled', ship), 'order_is_canceled', 'with: the parcel is refused');

  const [[canceled]] = await ruled.sql(`SELECT id FROM "order" WHERE state = 'Cancelled' LIMIT 1`);
  const attempt = (statement) => ruled.sql(statement, [canceled]).then(() => 'ok', ({ code, constraint }) =>
    `${code} ${constraint}`);
  equal(await attempt(`UPDATE "order" SET state = 'PaymentSettled' WHERE id = $1`), '23514 order_is_canceled',
    'a stale save does not revive a canceled order');
  equal((await attempt(`SELECT ordcancel.undo_cancel('public.order', $1, 'sorry')`)).slice(0, 5), 'OC008',
    'nor does undo_cancel, since its stock is given back');
  const who = async (id) => (await ruled.sql(`SELECT requested_by, requested_actor, note, reason
                                              FROM order_cancellation WHERE order_id = $1`, [id]))[0];
  const shopper = await ruled.cart();
  equal(await who((await shopper.transition('Cancelled')).id), ['customer', 'vendure', null, null],
    'a shopper who cancels a cart is on record as the customer');
  const placed = await ruled.place();
  await ruled.admin.cancel(placed.id, { reason: 'changed their mind' });
  equal(await who(placed.id), ['merchant', 'superadmin', 'changed their mind', null],
    'an administrator under his name, with the reason that he gave');
}

// Two calls for the same order at the same moment: ROUNDS times, a new order each.
async function race(shop, method, first, second, end) {
  const ends = {};
  for (let n = 0; n < ROUNDS; n += 1) {
    const order = await shop.place(method);
    order.fulfillment = second.fulfills && await shop.admin.fulfill(allLines(order));
    const calls = [() => first(shop, order), () => second(shop, order)];
    if (n % 2 === 1) calls.reverse();
    const answers = await Promise.all(calls.map((call) => call().catch(({ message }) => ({ error: message }))));
    const found = end(await shop.admin.order(order.id));
    const told = answers.map(({ condition, error, transitionError, message }) =>
      condition ?? error ?? transitionError ?? message).filter(Boolean);
    ends[[found, ...told].join(' | ')] = (ends[[found, ...told].join(' | ')] ?? 0) + 1;
  }
  return ends;
}

const cancel = (shop, order) => shop.admin.cancel(order.id);
const cancelBelow = (shop, order) => cancelInSql(shop, order.id, 'sold out');
const settle = (shop, order) => shop.admin.settle(order.payments[0].id);
const fulfill = (shop, order) => shop.admin.fulfill(allLines(order));
const ship = (shop, order) => shop.admin.ship(order.fulfillment.id);
ship.fulfills = true;

const wasCanceled = ({ history }) => history.items.some(({ data }) => data.to === 'Cancelled');
const wasSettled = ({ history }) => history.items.some(({ type, data }) =>
  type === 'ORDER_STATE_TRANSITION' && data.to === 'PaymentSettled');

// How a race ended; what begins with ! must not be.
function shipOrCancel(order) {
  const shipped = order.fulfillments.some(({ state }) => state === 'Shipped');
  if (wasCanceled(order) && order.state !== 'Cancelled') return `!canceled, now ${order.state}`;
  if (wasCanceled(order) && shipped) return '!canceled and shipped';
  return wasCanceled(order) ? 'canceled' : order.state;
}

function settleOrCancel(order) {
  const settled = order.payments.some(({ state }) => state === 'Settled');
  if (wasCanceled(order) && order.state !== 'Cancelled') return `!canceled, now ${order.state}`;
  if (wasCanceled(order) && settled && !wasSettled(order)) return '!canceled, then captured';
  if (wasCanceled(order)) return settled ? 'captured, then canceled' : 'canceled';
  return order.state;
}

function fulfillOrCancel(order) {
  const happened = order.history.items.map(({ type, data }) =>
    ({ ORDER_FULFILLMENT: 'fulfilled', Cancelled: 'canceled' })[type === 'ORDER_FULFILLMENT' ? type : data.to])
    .filter(Boolean).join(', ');
  if (wasCanceled(order) && order.state !== 'Cancelled') return `!canceled, now ${order.state}`;
  return happened === 'canceled, fulfilled' ? '!canceled, fulfilled' : happened;
}

async function races(plain, ruled) {
  const all = [
    ['cancel and ship', 'settled', cancel, ship, shipOrCancel],
    ['cancel and settle', 'authorized', cancel, settle, settleOrCancel],
    ['cancel and fulfill', 'settled', cancel, fulfill, fulfillOrCancel],
    ['cancel in SQL and ship', 'settled', cancelBelow, ship, shipOrCancel],
    ['cancel in SQL and settle', 'authorized', cancelBelow, settle, settleOrCancel],
    ['cancel in SQL and cancel', 'settled', cancelBelow, cancel, fulfillOrCancel],
  ];
  for (const [name, ...contest] of all) {
    const [without, ends] = await Promise.all([contest[1] === cancel && race(plain, ...contest),
      race(ruled, ...contest)]);
    console.log(`# ${name}: without ${JSON.stringify(without)}, with ${JSON.stringify(ends)}`);
    const bad = Object.keys(ends).filter((end) => end.startsWith('!'));
    equal(bad, [], `${name}: one winner`);
  }
}

module.exports = { compareCancellations, races, refusals };
