exports.up = (pgm) => {
  pgm.createTable('orders', { id: { type: 'integer', primaryKey: true }, status: { type: 'text', notNull: true } });
};

exports.down = (pgm) => {
  pgm.dropTable('orders');
};
