// Vendure's two APIs, as an administrator and as shoppers use them, and the
// database below them.
const { Client } = require('pg');

const ORDER = `
  id type state active total totalWithTax subTotal shippingWithTax couponCodes
  lines { id quantity orderPlacedQuantity linePriceWithTax discountedLinePriceWithTax }
  payments { id method amount state errorMessage refunds { id total state reason } }
  fulfillments { id state method trackingCode lines { orderLineId quantity } }
  modifications { id priceChange isSettled note }
  history(options: { sort: { id: ASC } }) { items { type isPublic data } }`;
const SHOP_ORDER = `
  id type state active totalWithTax lines { id quantity linePriceWithTax } payments { id amount state }`;
const FAILED = '... on ErrorResult { __typename errorCode message } __typename';

// Lines, payments and the like by their id: Vendure asks for no order.
function sorted(value) {
  if (Array.isArray(value)) {
    return value.map(sorted).sort((a, b) => a?.id - b?.id || 0);
  }
  return value instanceof Object ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, sorted(v)])) : value;
}

class Api {
  constructor(port, path) {
    this.url = `http://127.0.0.1:${port}/${path}`;
  }

  // What the server answers, or the first error.
  async call(query, variables = {}) {
    const response = await fetch(this.url, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        ...(this.token && { authorization: `Bearer ${this.token}` }),
      },
      body: JSON.stringify({ query, variables }),
    });
    this.token = response.headers.get('vendure-auth-token') ?? this.token;
    const { data, errors } = await response.json();
    return errors ? { error: errors[0].message, ...errors[0].extensions } : sorted(Object.values(data)[0]);
  }
}

class Admin extends Api {
  constructor(port) {
    super(port, 'admin-api');
  }

  login() {
    return this.call(`mutation { login(username: "superadmin", password: "superadmin") {
      ${FAILED} ... on CurrentUser { identifier } } }`);
  }

  order(id) {
    return this.call(`query ($id: ID!) { order(id: $id) { ${ORDER} } }`, { id });
  }

  transition(id, state) {
    return this.call(`mutation ($id: ID!, $state: String!) { transitionOrderToState(id: $id, state: $state) {
      ${FAILED} ... on OrderStateTransitionError { transitionError } ... on Order { ${ORDER} } } }`, { id, state });
  }

  settle(id) {
    return this.call(`mutation ($id: ID!) { settlePayment(id: $id) {
      ${FAILED} ... on PaymentStateTransitionError { transitionError } ... on Payment { id state amount } } }`, { id });
  }

  cancelPayment(id) {
    return this.call(`mutation ($id: ID!) { cancelPayment(id: $id) {
      ${FAILED} ... on PaymentStateTransitionError { transitionError } ... on Payment { id state amount } } }`, { id });
  }

  cancel(orderId, more = {}) {
    return this.call(`mutation ($input: CancelOrderInput!) { cancelOrder(input: $input) {
      ${FAILED} ... on OrderStateTransitionError { transitionError } ... on Order { ${ORDER} } } }`,
    { input: { orderId, ...more } });
  }

  refund(paymentId, amount, reason) {
    return this.call(`mutation ($input: RefundOrderInput!) { refundOrder(input: $input) {
      ${FAILED} ... on Refund { id total state reason } } }`,
    { input: { paymentId, amount, reason, lines: [], shipping: 0, adjustment: 0 } });
  }

  settleRefund(id) {
    return this.call(`mutation ($input: SettleRefundInput!) { settleRefund(input: $input) {
      ${FAILED} ... on Refund { id total state reason } } }`, { input: { id, transactionId: 'R1' } });
  }

  fulfill(lines) {
    return this.call(`mutation ($input: FulfillOrderInput!) { addFulfillmentToOrder(input: $input) {
      ${FAILED} ... on Fulfillment { id state method trackingCode lines { orderLineId quantity } } } }`,
    {
      input: {
        lines,
        handler: {
          code: 'manual-fulfillment',
          arguments: [{ name: 'method', value: 'post' }, { name: 'trackingCode', value: 'T1' }],
        },
      },
    });
  }

  ship(id, state = 'Shipped') {
    return this.call(`mutation ($id: ID!, $state: String!) { transitionFulfillmentToState(id: $id, state: $state) {
      ${FAILED} ... on FulfillmentStateTransitionError { transitionError } ... on Fulfillment { id state } } }`,
    { id, state });
  }

  modify(orderId, input) {
    return this.call(`mutation ($input: ModifyOrderInput!) { modifyOrder(input: $input) {
      ${FAILED} ... on Order { ${ORDER} } } }`, { input: { orderId, dryRun: false, ...input } });
  }

  payManually(orderId) {
    return this.call(`mutation ($input: ManualPaymentInput!) { addManualPaymentToOrder(input: $input) {
      ${FAILED} ... on Order { ${ORDER} } } }`,
    { input: { orderId, method: 'manual', transactionId: 'M1', metadata: {} } });
  }

  draftItem(orderId, productVariantId, quantity) {
    return this.call(`mutation ($id: ID!, $input: AddItemToDraftOrderInput!) {
      addItemToDraftOrder(orderId: $id, input: $input) { ${FAILED} ... on Order { ${ORDER} } } }`,
    { id: orderId, input: { productVariantId, quantity } });
  }

  draftCustomer(orderId, emailAddress) {
    return this.call(`mutation ($id: ID!, $input: CreateCustomerInput!) {
      setCustomerForDraftOrder(orderId: $id, input: $input) { ${FAILED} ... on Order { ${ORDER} } } }`,
    { id: orderId, input: { firstName: 'Ada', lastName: 'Byron', emailAddress } });
  }

  draftShipping(orderId) {
    return this.call(`mutation ($id: ID!) { setDraftOrderShippingMethod(orderId: $id, shippingMethodId: "1") {
      ${FAILED} ... on Order { ${ORDER} } } }`, { id: orderId });
  }

  deleteDraft(orderId) {
    return this.call('mutation ($id: ID!) { deleteDraftOrder(orderId: $id) { result message } }', { id: orderId });
  }

  note(id, note) {
    return this.call(`mutation ($input: AddNoteToOrderInput!) { addNoteToOrder(input: $input) { ${ORDER} } }`,
      { input: { id, note, isPublic: false } });
  }
}

class Shopper extends Api {
  constructor(port) {
    super(port, 'shop-api');
  }

  add(productVariantId, quantity) {
    return this.call(`mutation ($id: ID!, $quantity: Int!) {
      addItemToOrder(productVariantId: $id, quantity: $quantity) {
        ${FAILED} ... on Order { ${SHOP_ORDER} } } }`, { id: productVariantId, quantity });
  }

  customer(emailAddress) {
    return this.call(`mutation ($input: CreateCustomerInput!) { setCustomerForOrder(input: $input) {
      ${FAILED} ... on Order { ${SHOP_ORDER} } } }`, { input: { firstName: 'Ada', lastName: 'Byron', emailAddress } });
  }

  address() {
    return this.call(`mutation ($input: CreateAddressInput!) { setOrderShippingAddress(input: $input) {
      ${FAILED} ... on Order { ${SHOP_ORDER} } } }`,
    { input: { streetLine1: 'Ring 1', city: 'Wien', countryCode: 'AT' } });
  }

  shipping() {
    return this.call(`mutation { setOrderShippingMethod(shippingMethodId: ["1"]) {
      ${FAILED} ... on Order { ${SHOP_ORDER} } } }`);
  }

  transition(state) {
    return this.call(`mutation ($state: String!) { transitionOrderToState(state: $state) {
      ${FAILED} ... on OrderStateTransitionError { transitionError } ... on Order { ${SHOP_ORDER} } } }`, { state });
  }

  pay(method, metadata = {}) {
    return this.call(`mutation ($input: PaymentInput!) { addPaymentToOrder(input: $input) {
      ${FAILED} ... on Order { ${SHOP_ORDER} } } }`, { input: { method, metadata } });
  }

  activeOrder() {
    return this.call(`{ activeOrder { ${SHOP_ORDER} } }`);
  }

  register(emailAddress) {
    return this.call(`mutation ($input: RegisterCustomerInput!) { registerCustomerAccount(input: $input) {
      ${FAILED} ... on Success { success } } }`, { input: { emailAddress, password: 'password' } });
  }

  login(username) {
    return this.call(`mutation ($username: String!) { login(username: $username, password: "password") {
      ${FAILED} ... on CurrentUser { identifier } } }`, { username });
  }
}

// One running server with its database.
class Shop {
  constructor(port, database) {
    this.port = port;
    this.database = database;
    this.admin = new Admin(port);
    this.transcript = [];
    this.places = 0;
  }

  async start() {
    this.db = new Client({ database: this.database });
    await this.db.connect();
    await this.admin.login();
  }

  async sql(text, values) {
    return (await this.db.query({ text, values, rowMode: 'array' })).rows;
  }

  nextStates(id) {
    return this.admin.call('query ($id: ID!) { order(id: $id) { nextStates } }', { id });
  }

  // Notes what was asked and answered, and answers it.
  say(what, answer) {
    this.transcript.push(`${what}: ${JSON.stringify(answer)}`);
    return answer;
  }

  shopper() {
    return new Shopper(this.port);
  }

  // An order with two lines (CUPS cups, PLATES plates), up to the payment.
  async cart(cups = 2, plates = 1) {
    const shopper = this.shopper();
    this.places += 1;
    this.say('add cups', await shopper.add('1', cups));
    this.say('add plates', await shopper.add('2', plates));
    this.say('customer', await shopper.customer(`ada${this.places}@example.com`));
    this.say('shipping', await shopper.shipping());
    return shopper;
  }

  // Such an order, paid as METHOD does: authorized or settled.
  async place(method = 'settled', cups = 2, plates = 1) {
    const shopper = await this.cart(cups, plates);
    this.say('arrange payment', await shopper.transition('ArrangingPayment'));
    return this.say('pay', await shopper.pay(method));
  }
}

// All lines of an order, as input.
function allLines(order) {
  return order.lines.map(({ id, quantity }) => ({ orderLineId: id, quantity }));
}

module.exports = { Shop, allLines };
