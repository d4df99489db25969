module.exports = {
  dialect: 'postgresql',
  schema: './schema.js',
  tablesFilter: ['*', '!*_cancellation', '!*_cancellation_event'],
  dbCredentials: {
    host: process.env.PGHOST,
    port: Number(process.env.PGPORT),
    user: process.env.PGUSER,
    database: process.env.PGDATABASE,
    ssl: false,
  },
};
