// A plugin for Vendure. Refusals of ordcancel reach the client of the API with
// their HINT, and a cancellation that the API makes is recorded with who made it
// and why.
const { Order, PluginCommonModule, TransactionalConnection, VendurePlugin } = require('@vendure/core');

const refusals = {
  async requestDidStart() {
    return {
      async willSendResponse({ errors = [], response }) {
        errors.forEach(({ originalError }, n) => {
          const refused = originalError?.driverError;
          // A plain write is refused with 23514, a function with an SQLSTATE of its own.
          if (!/^(23514|OC\d{3})$/.test(refused?.code)) return;
          const shown = response.body.singleResult.errors[n];
          shown.message = [refused.message, refused.hint].filter(Boolean).join('. ');
          shown.extensions = { code: 'CONFLICT', condition: refused.constraint ?? refused.code, hint: refused.hint };
        });
      },
    };
  },
};

let connection;

const recordWho = {
  init(injector) {
    connection = injector.get(TransactionalConnection);
  },
  async onTransitionStart(fromState, toState, { ctx, order }) {
    if (toState !== 'Cancelled') return;
    await connection.getRepository(ctx, Order).query(
      `SELECT set_config('ordcancel.party', $1, true), set_config('ordcancel.actor', $2, true),
              set_config('ordcancel.note', coalesce((
                  SELECT left(data::json->>'reason', 2000) FROM history_entry
                  WHERE "orderId" = $3 AND type = 'ORDER_CANCELLATION' ORDER BY id DESC LIMIT 1), ''), true)`,
      [ctx.apiType === 'shop' ? 'customer' : 'merchant', ctx.session?.user?.identifier ?? '', order.id]);
  },
};

class OrdcancelPlugin {}
VendurePlugin({
  imports: [PluginCommonModule],
  compatibility: '^3.0.0',
  configuration(config) {
    config.apiOptions.apolloServerPlugins.push(refusals);
    config.orderOptions.process.push(recordWho);
    return config;
  },
})(OrdcancelPlugin);

module.exports = { OrdcancelPlugin };
