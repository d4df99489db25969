// A Vendure server without anything that the tests do not use. With --populate it
// creates its tables and its first data in an empty database and ends; otherwise it
// prints its port once it answers. --plugin adds the plugin beside this file,
// --synchronize has TypeORM bring the tables in line with Vendure's entities.
const { bootstrap, DefaultLogger, dummyPaymentHandler, LogLevel, manualFulfillmentHandler } = require('@vendure/core');
const { populate } = require('@vendure/core/cli');
const { OrdcancelPlugin } = require('./ordcancel-plugin');

const populating = process.argv.includes('--populate');

const config = {
  apiOptions: {
    hostname: '127.0.0.1',
    port: 0,
    adminApiPath: 'admin-api',
    shopApiPath: 'shop-api',
  },
  authOptions: {
    tokenMethod: 'bearer',
    requireVerification: false,
    superadminCredentials: { identifier: 'superadmin', password: 'superadmin' },
  },
  dbConnectionOptions: {
    type: 'postgres',
    host: process.env.PGHOST,
    port: Number(process.env.PGPORT),
    username: process.env.PGUSER,
    database: process.env.PGDATABASE,
    synchronize: populating || process.argv.includes('--synchronize'),
  },
  logger: new DefaultLogger({ level: LogLevel.Warn }),
  plugins: process.argv.includes('--plugin') ? [OrdcancelPlugin] : [],
  paymentOptions: { paymentMethodHandlers: [dummyPaymentHandler] },
  shippingOptions: { fulfillmentHandlers: [manualFulfillmentHandler] },
};

const data = {
  defaultLanguage: 'en',
  defaultZone: 'Europe',
  countries: [{ name: 'Austria', code: 'AT', zone: 'Europe' }],
  taxRates: [{ name: 'Standard', percentage: 20 }],
  shippingMethods: [{ name: 'Standard Shipping', price: 500 }],
  paymentMethods: ['false', 'true'].map((settle) => ({
    name: settle === 'true' ? 'Settled' : 'Authorized',
    handler: { code: 'dummy-payment-handler', arguments: [{ name: 'automaticSettle', value: settle }] },
  })),
  collections: [],
};

async function main() {
  if (populating) {
    const app = await populate(() => bootstrap(config), data, `${__dirname}/products.csv`);
    await app.close();
    process.exit(0);
  }
  const app = await bootstrap(config);
  console.log(`listening on ${app.getHttpServer().address().port}`);
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
