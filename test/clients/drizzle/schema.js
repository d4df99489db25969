const { integer, pgTable, text } = require('drizzle-orm/pg-core');

exports.orders = pgTable('orders', { id: integer('id').primaryKey(), status: text('status').notNull() });
