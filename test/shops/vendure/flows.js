// What a shop does with its orders, as far as the rules have nothing against it:
// the same answers with ordcancel as without.
const { allLines } = require('./client');

const flows = {
  async 'place, authorize, settle'(shop) {
    const shopper = await shop.cart();
    shop.say('address', await shopper.address());
    shop.say('arrange payment', await shopper.transition('ArrangingPayment'));
    const order = shop.say('pay', await shopper.pay('authorized'));
    shop.say('order', await shop.admin.order(order.id));
    shop.say('settle', await shop.admin.settle(order.payments[0].id));
    shop.say('settle again', await shop.admin.settle(order.payments[0].id));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'a payment that is declined, one that fails, then one that is settled'(shop) {
    const shopper = await shop.cart();
    shop.say('arrange payment', await shopper.transition('ArrangingPayment'));
    shop.say('declined', await shopper.pay('settled', { shouldDecline: true }));
    shop.say('failed', await shopper.pay('settled', { shouldError: true }));
    shop.say('paid', await shopper.pay('settled'));
  },

  async 'back from the payment to the cart, and on'(shop) {
    const shopper = await shop.cart();
    shop.say('arrange payment', await shopper.transition('ArrangingPayment'));
    shop.say('back', await shopper.transition('AddingItems'));
    shop.say('more', await shopper.add('2', 1));
    shop.say('arrange payment', await shopper.transition('ArrangingPayment'));
    shop.say('paid', await shopper.pay('authorized'));
  },

  async 'cancel an authorized order and its payment'(shop) {
    const order = await shop.place('authorized');
    shop.say('cancel', await shop.admin.cancel(order.id, { reason: 'changed their mind', cancelShipping: true }));
    shop.say('cancel the payment', await shop.admin.cancelPayment(order.payments[0].id));
    shop.say('cancel again', await shop.admin.cancel(order.id));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'cancel a settled order, then refund it'(shop) {
    const order = await shop.place('settled');
    const [payment] = order.payments;
    shop.say('cancel', await shop.admin.cancel(order.id, { reason: 'sold out' }));
    shop.say('refund', await shop.admin.refund(payment.id, 4800, 'sold out'));
    shop.say('refund too much', await shop.admin.refund(payment.id, 4800, 'again'));
    shop.say('refund the shipping', await shop.admin.refund(payment.id, 500, 'shipping'));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'refund a settled order, then cancel it'(shop) {
    const order = await shop.place('settled');
    const { id } = shop.say('refund', await shop.admin.refund(order.payments[0].id, 5300, 'sold out'));
    shop.say('settle the refund', await shop.admin.settleRefund(id));
    shop.say('cancel', await shop.admin.cancel(order.id, { cancelShipping: true }));
  },

  async 'cancel line by line'(shop) {
    const order = await shop.place('settled', 3, 2);
    const [cups, plates] = order.lines;
    const lines = (line, quantity) => ({ lines: [{ orderLineId: line.id, quantity }] });
    shop.say('one cup', await shop.admin.cancel(order.id, lines(cups, 1)));
    shop.say('too many cups', await shop.admin.cancel(order.id, lines(cups, 3)));
    shop.say('the plates', await shop.admin.cancel(order.id, lines(plates, 2)));
    shop.say('no cup', await shop.admin.cancel(order.id, lines(cups, 0)));
    shop.say('the rest', await shop.admin.cancel(order.id, lines(cups, 2)));
  },

  async 'ship, deliver, and refund a part'(shop) {
    const order = await shop.place('settled');
    const fulfillment = shop.say('fulfill', await shop.admin.fulfill(allLines(order)));
    shop.say('fulfill again', await shop.admin.fulfill(allLines(order)));
    shop.say('ship', await shop.admin.ship(fulfillment.id));
    shop.say('deliver', await shop.admin.ship(fulfillment.id, 'Delivered'));
    shop.say('refund', await shop.admin.refund(order.payments[0].id, 1000, 'a scratch'));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'ship in two parcels'(shop) {
    const order = await shop.place('settled');
    const [cups, plates] = allLines(order);
    const first = shop.say('fulfill cups', await shop.admin.fulfill([cups]));
    const second = shop.say('fulfill plates', await shop.admin.fulfill([plates]));
    shop.say('ship cups', await shop.admin.ship(first.id));
    shop.say('order', await shop.admin.order(order.id));
    shop.say('ship plates', await shop.admin.ship(second.id));
    shop.say('deliver cups', await shop.admin.ship(first.id, 'Delivered'));
    shop.say('deliver plates', await shop.admin.ship(second.id, 'Delivered'));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'one parcel for two orders'(shop) {
    const orders = [await shop.place('settled'), await shop.place('settled')];
    const { id } = shop.say('fulfill both', await shop.admin.fulfill(orders.flatMap(allLines)));
    shop.say('ship', await shop.admin.ship(id));
    for (const order of orders) {
      shop.say('order', await shop.admin.order(order.id));
    }
  },

  async 'ship a part, cancel the other'(shop) {
    const order = await shop.place('settled');
    const [cups, plates] = allLines(order);
    const { id } = shop.say('fulfill cups', await shop.admin.fulfill([cups]));
    shop.say('ship cups', await shop.admin.ship(id));
    shop.say('cancel plates', await shop.admin.cancel(order.id, { lines: [plates] }));
    shop.say('deliver cups', await shop.admin.ship(id, 'Delivered'));
    shop.say('order', await shop.admin.order(order.id));
  },

  async 'cancel a fulfillment, then the order'(shop) {
    for (const states of [[], ['Shipped'], ['Shipped', 'Delivered']]) {
      const order = await shop.place('settled');
      const { id } = shop.say('fulfill', await shop.admin.fulfill(allLines(order)));
      for (const state of [...states, 'Cancelled']) {
        shop.say(state, await shop.admin.ship(id, state));
      }
      shop.say('cancel', await shop.admin.cancel(order.id));
    }
  },

  async 'modify an order: more to pay, then cancel it'(shop) {
    const order = await shop.place('settled');
    const [cups, plates] = allLines(order);
    shop.say('begin', await shop.admin.transition(order.id, 'Modifying'));
    shop.say('modify', await shop.admin.modify(order.id, {
      addItems: [{ productVariantId: '2', quantity: 1 }],
      adjustOrderLines: [{ ...cups, quantity: 4 }],
      surcharges: [{ description: 'gift wrap', price: 250, priceIncludesTax: true, taxRate: 20 }],
      note: 'more',
    }));
    shop.say('done', await shop.admin.transition(order.id, 'ArrangingAdditionalPayment'));
    shop.say('too early', await shop.admin.transition(order.id, 'PaymentSettled'));
    shop.say('pay', await shop.admin.payManually(order.id));
    shop.say('on', await shop.admin.transition(order.id, 'PaymentSettled'));
    shop.say('cancel plates', await shop.admin.cancel(order.id, { lines: [{ ...plates, quantity: 1 }] }));
    shop.say('cancel', await shop.admin.cancel(order.id, { cancelShipping: true }));
  },

  async 'modify an order: less, with a refund'(shop) {
    const order = await shop.place('settled', 3, 2);
    const [cups] = allLines(order);
    shop.say('begin', await shop.admin.transition(order.id, 'Modifying'));
    shop.say('modify', await shop.admin.modify(order.id, {
      adjustOrderLines: [{ ...cups, quantity: 1 }],
      refund: { paymentId: order.payments[0].id, reason: 'less' },
    }));
    shop.say('done', await shop.admin.transition(order.id, 'PaymentSettled'));
    shop.say('note', await shop.admin.note(order.id, 'less'));
  },

  async 'an authorized order is canceled while more is to be paid'(shop) {
    const order = await shop.place('authorized');
    shop.say('begin', await shop.admin.transition(order.id, 'Modifying'));
    shop.say('modify', await shop.admin.modify(order.id, { addItems: [{ productVariantId: '1', quantity: 1 }] }));
    shop.say('done', await shop.admin.transition(order.id, 'ArrangingAdditionalPayment'));
    shop.say('cancel', await shop.admin.cancel(order.id));
  },

  async 'carts: canceled by the shopper, by an administrator, and before anything is in them'(shop) {
    const shopper = await shop.cart();
    shop.say('cancel', await shopper.transition('Cancelled'));
    shop.say('active', await shopper.activeOrder());
    const paying = await shop.cart();
    const { id } = shop.say('arrange payment', await paying.transition('ArrangingPayment'));
    shop.say('cancel', await shop.admin.cancel(id, { reason: 'no payment' }));
    shop.say('active', await paying.activeOrder());
    shop.say('add to a new one', await paying.add('1', 1));
  },

  async 'drafts: deleted, canceled, ordered'(shop) {
    const draft = async () => {
      const { id } = shop.say('draft', await shop.admin.call('mutation { createDraftOrder { id state active } }'));
      shop.say('cups', await shop.admin.draftItem(id, '1', 2));
      return id;
    };
    shop.say('delete', await shop.admin.deleteDraft(await draft()));
    const { id: empty } = shop.say('draft', await shop.admin.call('mutation { createDraftOrder { id state active } }'));
    shop.say('delete an empty one', await shop.admin.deleteDraft(empty));
    shop.say('cancel', await shop.admin.cancel(await draft()));
    const id = await draft();
    shop.say('customer', await shop.admin.draftCustomer(id, 'draft@example.com'));
    shop.say('shipping', await shop.admin.draftShipping(id));
    shop.say('arrange payment', await shop.admin.transition(id, 'ArrangingPayment'));
    shop.say('delete too late', await shop.admin.deleteDraft(id));
    shop.say('pay', await shop.admin.payManually(id));
    shop.say('order', await shop.admin.order(id));
  },

  // At sign-in one of two carts is deleted.
  async 'carts that are merged at sign-in'(shop) {
    const first = shop.shopper();
    shop.say('register', await first.register('eve@example.com'));
    shop.say('sign in', await first.login('eve@example.com'));
    shop.say('cart', await first.add('1', 1));
    const guest = shop.shopper();
    const { id } = shop.say('cart of a guest', await guest.add('2', 1));
    shop.say('sign in', await guest.login('eve@example.com'));
    shop.say('merged', await guest.activeOrder());
    shop.say('the other', await shop.admin.order(id));
  },

  async 'what Vendure itself refuses'(shop) {
    const order = await shop.place('settled');
    shop.say('transition', await shop.admin.transition(order.id, 'Cancelled'));
    shop.say('back', await shop.admin.transition(order.id, 'AddingItems'));
    shop.say('modify', await shop.admin.transition(order.id, 'Modifying'));
    shop.say('cancel while it is modified', await shop.admin.transition(order.id, 'Cancelled'));
  },
};

module.exports = { flows };
