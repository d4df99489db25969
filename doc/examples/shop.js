// Canceling from Node, with the table of README.md:
//
//   npm install pg
//   node shop.js 42
//
// The connection uses libpq's environment variables: PGHOST, PGDATABASE, PGUSER and so on.
const { Client } = require('pg');

// With the function: a refusal raises an SQLSTATE of ordcancel.
async function cancel(db, orderId, reason, actor) {
  try {
    const { rows } = await db.query(
      `SELECT state, changed FROM ordcancel.cancel_order('shop.orders', $1, $2, actor => $3)`,
      [orderId, reason, actor]);
    return rows[0];
  } catch (error) {
    if (!/^OC/.test(error.code)) throw error;
    return { refused: error.code, why: error.message, hint: error.hint };
  }
}

// With a plain update, as existing code does: a refusal is a check violation whose
// constraint name is the name of the condition.
async function setStatus(db, orderId, status) {
  try {
    await db.query('UPDATE shop.orders SET status = $2 WHERE id = $1', [orderId, status]);
    return { state: status };
  } catch (error) {
    if (error.code !== '23514') throw error;
    return { refused: error.constraint, why: error.message, hint: error.hint };
  }
}

async function main(orderId) {
  const db = new Client();
  await db.connect();
  // What the page can offer to the customer.
  const { rows } = await db.query(
    `SELECT outcome, detail, hint, until FROM ordcancel.cancel_options('shop.orders', $1)
      WHERE party = 'customer' AND verb = 'request_cancel'`, [orderId]);
  console.log(rows[0]);
  console.log(await cancel(db, orderId, 'out_of_stock', 'anna'));
  console.log(await setStatus(db, orderId, 'shipped'));
  await db.end();
}

main(process.argv[2]);
