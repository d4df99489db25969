// Two servers, the second with ordcancel and the plugin: tests.js PORT DATABASE PORT DATABASE
const { readFileSync } = require('fs');
const { equal, run } = require('../../clients/tap');
const { Shop } = require('./client');
const { flows } = require('./flows');
const { compareCancellations, races, refusals } = require('./rules');

// What flows leave, but for times, codes and random numbers.
const LEFT = {
  order: `SELECT id, type, state, active, "orderPlacedAt" IS NULL, "subTotal", "subTotalWithTax", shipping,
                 "shippingWithTax", "customerId" FROM "order"`,
  order_line: 'SELECT id, "orderId", "productVariantId", quantity, "orderPlacedQuantity" FROM order_line',
  payment: 'SELECT id, "orderId", method, state, amount, "errorMessage" FROM payment',
  refund: 'SELECT id, "paymentId", state, total, reason, method FROM refund',
  fulfillment: `SELECT id, state, "orderId" FROM fulfillment
                LEFT JOIN order_fulfillments_fulfillment ON "fulfillmentId" = id`,
  stock_movement: `SELECT type, discriminator, quantity, "stockLocationId", "productVariantId", "orderLineId"
                   FROM stock_movement`,
  stock_level: 'SELECT id, "productVariantId", "stockOnHand", "stockAllocated" FROM stock_level',
  history_entry: `SELECT type, "orderId", "isPublic", discriminator, data::jsonb FROM history_entry
                  WHERE "orderId" IS NOT NULL`,
  session: 'SELECT id, "activeOrderId" FROM session',
};

async function compareTables(plain, ruled, what) {
  for (const [table, query] of Object.entries(LEFT)) {
    const rows = (shop) => shop.sql(`SELECT * FROM (${query}) AS t ORDER BY t`);
    equal(await rows(ruled), await rows(plain), `${what}: the same in ${table}`);
  }
}

// The SQL and the program that doc/shops/vendure.md shows are those of the tests.
function compareDocumentation() {
  const file = (name) => readFileSync(`${__dirname}/${name}`, 'utf8');
  const run = ['setup.sql', 'ordcancel-plugin.js', 'rules.js'].map(file).join('');
  const shown = [...file('../../../doc/shops/vendure.md').matchAll(/^```(?:sql|js)\n(.*?)^```$/gms)];
  const other = shown.map(([, block]) => block).filter((block) => !run.includes(block.trimEnd()));
  equal([shown.length > 0, other], [true, []], 'the code of the documentation is what is run here');
}

run(async () => {
  compareDocumentation();
  const [plain, ruled] = [new Shop(...process.argv.slice(2, 4)), new Shop(...process.argv.slice(4))];
  await plain.start();
  await ruled.start();

  for (const [name, flow] of Object.entries(flows)) {
    if (!name.includes(process.env.FLOWS ?? '')) continue;
    await Promise.all([plain, ruled].map((shop) => {
      shop.transcript = [];
      return flow(shop);
    }));
    if (process.env.SHOW) console.log(`# ${name}\n# ${plain.transcript.join('\n# ')}`);
    equal(ruled.transcript, plain.transcript, name);
  }
  await compareTables(plain, ruled, 'flows');
  await compareCancellations(plain, ruled);
  await compareTables(plain, ruled, 'canceled in SQL');
  await refusals(plain, ruled);
  await races(plain, ruled);
  equal(await ruled.sql('TABLE ordcancel.health'), [], 'health has no problem');
});
