exports.up = (pgm) => {
  pgm.sql(`
    SELECT ordcancel.attach('orders', status => 'status', record_schema => 'audit');
    SELECT ordcancel.set_policy('orders', canceled_status => 'canceled');
    SELECT ordcancel.set_rule('orders', 'placed', merchant => 'cancel')`);
};

exports.down = (pgm) => {
  pgm.sql(`SELECT ordcancel.detach('orders')`);
};
