// Handles each cancellation event once, and the events of an order in their order.
// Copy it, and replace handle(). The table of this example, and the consumer:
//
//   CREATE TABLE shop.mail_queue (event_id bigint PRIMARY KEY, order_key text, type text);
//   SELECT ordcancel.create_consumer('mail');
//
//   npm install pg
//   PGHOST=db1,db2 PGDATABASE=shop node consumer.js
//
// The connection uses libpq's environment variables. Of several hosts it uses the primary, also
// after a failover. If several copies run, one of them works at a time, and another continues
// when it ends. Ctrl-C and SIGTERM end the program after the current batch, a second Ctrl-C
// immediately.
const { Client } = require('pg');

const CONSUMER = 'mail';
const BATCH = 100;
const POLL_SECONDS = 5; // finds the events whose notification was lost
const MAX_RETRY_SECONDS = 5;
const ANSWER_SECONDS = 30; // a server that has not answered until then is gone

// Replace this. What it writes into this database is committed together with the
// acknowledgment, so it is written exactly once.
//
// It may also call another system. The call is repeated if the program or the server fails
// before the commit, so pass event_id along: the other system can then ignore what it has
// already done. Set a timeout, and BATCH to 1, since the transaction stays open meanwhile.
async function handle(db, event) {
  await db.query(
    `INSERT INTO shop.mail_queue (event_id, order_key, type) VALUES ($1, $2, $3)
     ON CONFLICT (event_id) DO NOTHING`,
    [event.event_id, event.order_key, event.type]);
}

// Returns how many events there were. On an error the caller closes the connection, which
// rolls back.
async function handleBatch(db) {
  await db.query('BEGIN');
  const { rows: events } = await db.query(
    `SELECT event_id, orders, order_key, type, state, actor, reason
     FROM ordcancel.next_events($1, $2)`, [CONSUMER, BATCH]);
  for (const event of events) {
    try {
      await handle(db, event);
    } catch (error) {
      console.error(`event ${event.event_id} failed`);
      throw error;
    }
  }
  if (events.length > 0) {
    await db.query('SELECT ordcancel.ack($1, $2)', [CONSUMER, events.at(-1).event_id]);
  }
  await db.query('COMMIT');
  return events.length;
}

// pg connects to one host only. This tries those of PGHOST until one is not a standby.
async function connect() {
  const hosts = (process.env.PGHOST ?? 'localhost').split(',');
  const ports = (process.env.PGPORT ?? '5432').split(',');
  let failure;
  for (const [i, host] of hosts.entries()) {
    const db = new Client({
      host,
      port: Number(ports[i] ?? ports[0]),
      connectionTimeoutMillis: 5000,
      query_timeout: ANSWER_SECONDS * 1000,
    });
    db.on('error', wakeUp); // the connection is lost; without a handler the program would end
    try {
      await db.connect();
      const { rows } = await db.query('SELECT pg_is_in_recovery() AS standby');
      if (!rows[0].standby) return db;
      failure = new Error(`${host} is a standby`);
    } catch (error) {
      failure = error;
    }
    await db.end();
  }
  throw failure;
}

let stopping = false;
let woken = false;
let wake = () => {};

function wakeUp() {
  woken = true;
  wake();
}

// Until wakeUp() is called, or the time is over.
async function wait(seconds) {
  if (woken) return;
  let timer;
  await new Promise((resolve) => {
    wake = resolve;
    timer = setTimeout(resolve, seconds * 1000);
  });
  clearTimeout(timer);
}

async function main() {
  let retrySeconds = 0.1;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      stopping = true;
      wakeUp();
    });
  }
  while (!stopping) {
    let db;
    try {
      db = await connect();
      db.on('notification', wakeUp);
      await db.query('LISTEN ordcancel'); // before the first query
      while (!stopping) {
        woken = false;
        const count = await handleBatch(db);
        retrySeconds = 0.1;
        if (count === 0) await wait(POLL_SECONDS);
      }
    } catch (error) {
      // The batch was not acknowledged and is delivered again. An event that always fails can
      // be set aside with ordcancel.skip_event().
      console.error(`trying again in ${retrySeconds} s: ${error.message || error.code}`);
    }
    await db?.end();
    woken = stopping;
    await wait(retrySeconds);
    retrySeconds = Math.min(2 * retrySeconds, MAX_RETRY_SECONDS);
  }
}

main();
