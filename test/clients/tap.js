// What the programs of this directory share: assertions in TAP, and the other
// session that comes in between.
const { isDeepStrictEqual } = require('util');
const { Client } = require('pg');

// A script that has made assertions before says how many.
let count = Number(process.env.TAP_COUNT ?? 0);
let failed = 0;

function equal(got, wanted, name) {
  count += 1;
  if (isDeepStrictEqual(got, wanted)) {
    console.log(`ok ${count} - ${name}`);
  } else {
    failed += 1;
    console.log(`not ok ${count} - ${name}\n# got: ${JSON.stringify(got)}\n# wanted: ${JSON.stringify(wanted)}`);
  }
}

// Another session.
async function meanwhile(sql) {
  const db = new Client();
  await db.connect();
  const { rows } = await db.query({ text: sql, rowMode: 'array' });
  await db.end();
  return rows[0][0];
}

function run(main) {
  main().then(
    () => {
      console.log(`1..${count}`);
      process.exit(failed > 0 ? 1 : 0);
    },
    (error) => {
      console.log('not ok - the program ends', error);
      process.exit(1);
    });
}

module.exports = { equal, meanwhile, run };
