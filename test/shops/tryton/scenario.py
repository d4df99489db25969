"""The life of sales in Tryton with ordcancel attached: by Tryton's own API (proteus
and JSON-RPC), by SQL, and both at once. Prints TAP.
"""
import base64
import os
import string
import subprocess
import sys
import threading
import time
from decimal import Decimal

import psycopg2

os.environ.setdefault("DB_NAME", "shop_tryton")
database = os.environ["DB_NAME"]

from trytond.tests import tools, test_tryton        # noqa: E402
test_tryton.drop_db()
config = tools.activate_modules("sale")
test_tryton.activate_module("sale")
subprocess.run(["psql", "-Xq", "-o", "/dev/null", "-v", "ON_ERROR_STOP=1", "-U", "postgres", "-d", database,
                "-f", os.path.join(os.path.dirname(__file__), "attach.sql")], check=True)

from proteus import Model                           # noqa: E402
from trytond.exceptions import ConcurrencyException, UserError   # noqa: E402
from trytond.ir import queue                        # noqa: E402
from trytond.worker import run_task                 # noqa: E402
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, get_accounts   # noqa: E402
from trytond.modules.account_invoice.tests.tools import (       # noqa: E402
    create_payment_term, set_fiscalyear_invoice_sequences)
from trytond.modules.company.tests.tools import create_company, get_company     # noqa: E402
from trytond.protocols import dispatcher            # noqa: E402, F401
from trytond.wsgi import app                        # noqa: E402
from werkzeug.test import Client                    # noqa: E402

count = failed = 0


def ok(passed, name, why=""):
    global count, failed
    count += 1
    print("%sok %d - %s" % ("" if passed else "not ", count, name))
    if not passed:
        failed += 1
        print("\n".join("# " + line for line in str(why).splitlines()))
    sys.stdout.flush()


def equal(got, wanted, name):
    ok(got == wanted, name, "got: %r\nwanted: %r" % (got, wanted))


def refused(call):
    """What Tryton's user sees, or the refusal of the server itself."""
    try:
        call()
    except psycopg2.IntegrityError as error:
        return error.pgcode, error.diag.constraint_name
    except psycopg2.Error as error:
        return error.pgcode, error.diag.message_hint
    except (UserError, ConcurrencyException) as error:
        return type(error).__name__, error.message
    return None


class Session:
    """A session of somebody else, in SQL."""

    def __init__(self, user="tryton", autocommit=True):
        self.db = psycopg2.connect(dbname=database, user=user)
        self.db.autocommit = autocommit

    def __call__(self, statement, *values):
        with self.db.cursor() as cursor:
            cursor.execute(statement, values)
            return cursor.fetchall() if cursor.description else None


sql = Session()
superuser = Session("postgres")


def cancel_order(sale, session=sql):
    return session("SELECT state, order_status FROM ordcancel.cancel_order('sale_sale', %s, 'out_of_stock', "
                   "actor => 'anna')", sale.id)[0]


def undo_cancel(sale):
    return sql("SELECT state, order_status FROM ordcancel.undo_cancel('sale_sale', %s, 'It was found.')", sale.id)[0]


def records(sale):
    """Of this sale, the oldest first: state, status before, who asked."""
    return superuser("SELECT state, prior_status, requested_by FROM ordcancel.cancellation "
                     "WHERE order_key = %s ORDER BY cancellation_id", str(sale.id))


def until(condition):
    end = time.monotonic() + 120
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError
        time.sleep(0.02)


def waits():
    return superuser("SELECT EXISTS (SELECT FROM pg_stat_activity "
                     "WHERE datname = current_database() AND wait_event_type = 'Lock')")[0][0]


# The shop: what a sale needs.
create_company()
company = get_company()
set_fiscalyear_invoice_sequences(create_fiscalyear(company)).click("create_period")
create_chart(company)
accounts = get_accounts(company)
Party = Model.get("party.party")
Sale = Model.get("sale.sale")
customer = Party(name="Customer")
customer.save()
category = Model.get("product.category")(
    name="Goods", accounting=True, account_expense=accounts["expense"], account_revenue=accounts["revenue"])
category.save()
unit, = Model.get("product.uom").find([("name", "=", "Unit")])
template = Model.get("product.template")(
    name="Lamp", default_uom=unit, type="goods", salable=True, list_price=Decimal(10), account_category=category)
template.save()
lamp, = template.products
payment_term = create_payment_term()
payment_term.save()


def new_sale(*clicks):
    sale = Sale(party=customer, payment_term=payment_term, invoice_method="order")
    line = sale.lines.new()
    line.product = lamp
    line.quantity = 2.0
    sale.save()
    for click in clicks:
        sale.click(click)
    return sale


def confirmed_sale():
    """Not processed yet: Tryton leaves that to a worker here."""
    queue.has_worker = True
    try:
        return new_sale("quote", "confirm")
    finally:
        queue.has_worker = False


def pending_tasks():
    """Those for a worker: the last one comes first."""
    return [row[0] for row in superuser("SELECT id FROM ir_queue WHERE finished_at IS NULL AND dequeued_at IS NULL "
                                        "ORDER BY id DESC")]


def deliveries(sale):
    return superuser("""SELECT (SELECT count(*) FROM stock_move AS m JOIN sale_line AS l
                                    ON m.origin = 'sale.line,' || l.id WHERE l.sale = s.id),
                               (SELECT count(*) FROM account_invoice_line AS i JOIN sale_line AS l
                                    ON i.origin = 'sale.line,' || l.id WHERE l.sale = s.id)
                        FROM sale_sale AS s WHERE s.id = %s""", sale.id)[0]


# Tryton alone.
sale = new_sale("quote", "confirm")
equal((sale.state, len(sale.shipments), len(sale.invoices), records(sale)), ("processing", 1, 1, []),
      "a sale is quoted, confirmed and processed, which is no cancellation")

sale = new_sale("quote", "cancel")
equal((sale.state, sale.total_amount, records(sale)),
      ("cancelled", Decimal("20.00"), [("canceled", "quotation", "merchant")]),
      "Tryton cancels a quotation, and it is recorded")
equal(refused(lambda: sale.click("draft")), None, "Tryton makes it a draft again")
sale.reload()
equal((sale.state, [row[0] for row in records(sale)]), ("draft", ["undone"]), "which is an undo")
if sale.state == "cancelled":
    undo_cancel(sale)
    sale.reload()
    sale.click("draft")
sale.click("quote")
sale.click("cancel")
equal((sale.state, [row[0] for row in records(sale)]), ("cancelled", ["undone", "canceled"]),
      "and it can be quoted and canceled once more")

sale = new_sale()
sale.click("cancel")
equal((sale.state, records(sale)[0][:2]), ("cancelled", ("canceled", "draft")), "Tryton cancels a draft")
for name, clicks in (("draft", []), ("quotation", ["quote"]), ("canceled sale", ["quote", "cancel"])):
    sale = new_sale(*clicks)
    equal(refused(sale.delete), None, "Tryton deletes a %s" % name)
    equal((Sale.find([("id", "=", sale.id)]), records(sale)[0][0]), ([], "canceled"),
          "its cancellation stays on record")

# By SQL, as Tryton sees it then.
sale = new_sale("quote")
form = Sale(sale.id)        # a user has it open meanwhile
form.reference
equal(cancel_order(sale), ("canceled", "cancelled"), "cancel_order cancels a quotation")
sale.reload()
equal((sale.state, sale.total_amount, len(Sale.find([("state", "=", "cancelled"), ("id", "=", sale.id)]))),
      ("cancelled", Decimal("20.00"), 1), "Tryton sees it canceled, with its amounts")
equal(superuser("SELECT write_date = date_trunc('microseconds', timezone('UTC', c.closed_at)), write_uid "
                "FROM sale_sale AS s JOIN sale_sale_cancellation AS c ON c.order_id = s.id WHERE s.id = %s", sale.id),
      [(True, 0)], "Tryton's own date and user of the last change say so, too")
form.reference = "stale"
equal((refused(form.save) or "saved")[0], "ConcurrencyException", "a form that shows the sale as it was is not saved")
for button in "quote", "confirm", "process":
    sale.click(button)
sale.reload()
equal((sale.state, deliveries(sale)), ("cancelled", (0, 0)), "buttons that came too late do nothing")
equal(undo_cancel(sale), ("undone", "quotation"), "undo_cancel gives it back")
sale.reload()
sale.click("confirm")
equal((sale.state, deliveries(sale)), ("processing", (1, 1)), "and Tryton goes on with it")
equal(refused(lambda: cancel_order(sale)), ("OC003", "Cancel its shipments and invoices instead."),
      "cancel_order refuses a sale that is processed")
sale.click("cancel")
sale.reload()
equal(sale.state, "processing", "so does Tryton")

sale = new_sale("quote")
cancel_order(sale)
equal(refused(lambda: sale.click("draft")), None, "Tryton revives what SQL canceled")

# Shipments and invoices that come after the cancellation.
Move = Model.get("stock.move")
Location = Model.get("stock.location")
storage, = Location.find([("code", "=", "STO")])
place, = Location.find([("code", "=", "CUS")])


def ship(sale):
    Move(product=lamp, uom=unit, quantity=1.0, from_location=storage, to_location=place, company=company,
         currency=company.currency, unit_price=Decimal(10), origin=sale.lines[0]).save()


def invoice(sale):
    line = Model.get("account.invoice.line")()
    line.invoice_type = "out"
    line.party = customer
    line.currency = company.currency
    line.account = accounts["revenue"]
    line.product = lamp
    line.quantity = 1.0
    line.unit_price = Decimal(10)
    line.origin = sale.lines[0]
    line.save()


sale = new_sale("quote")
cancel_order(sale)
equal(refused(lambda: ship(sale)), ("23514", "order_is_canceled"), "a shipment of a canceled sale is refused")
equal(refused(lambda: invoice(sale)), ("23514", "order_is_canceled"), "so is its invoice")
equal(deliveries(sale), (0, 0), "there is neither")
for name, write in (("shipment", ship), ("invoice", invoice)):
    sale = new_sale("quote")
    write(sale)
    ok(sum(deliveries(sale)) == 1, "Tryton accepts the %s of a quotation" % name)
    equal(refused(lambda: cancel_order(sale)), ("OC005", "Cancel its %ss first." % name),
          "then the quotation is not canceled by cancel_order")
    equal(refused(lambda: sale.click("cancel")), ("23514", "cancellation_blocked"), "nor by Tryton")

# At the same moment.
sale = confirmed_sale()
task = pending_tasks()[0]
other = Session(autocommit=False)
cancel_order(sale, other)
run_task(database, task)
equal(deliveries(sale), (0, 0), "a worker does not process a sale that is being canceled")
again = pending_tasks()[0]
ok(again != task, "it tries later")
other.db.commit()
run_task(database, again)
sale.reload()
equal((sale.state, deliveries(sale)), ("cancelled", (0, 0)), "when it is canceled there is nothing to do")

sale = confirmed_sale()
other = Session(autocommit=False)
other("UPDATE sale_sale SET state = 'processing' WHERE id = %s", sale.id)
answer = []
thread = threading.Thread(target=lambda: answer.append(refused(lambda: cancel_order(sale, Session()))))
thread.start()
until(waits)
other.db.commit()
thread.join()
equal(answer[0][0], "OC003", "cancel_order waits for a sale that is being processed, and refuses it then")

# What the desktop client calls. It repeats what could not be serialized.
user = Model.get("res.user")(config.user)
user.password = string.ascii_letters      # Tryton counts how many are different
user.save()
client = Client(app)
session = client.post("/%s/" % database, json={
    "id": 0, "method": "common.db.login", "params": [user.login, {"password": string.ascii_letters}]}).json["result"]
session = base64.b64encode(("%s:%s:%s" % (user.login, *session)).encode()).decode()


def rpc(method, *params):
    answer = Client(app).post("/%s/" % database, headers={"Authorization": "Session " + session}, json={
        "id": 1, "method": method, "params": [*params, {}]})
    return answer.json.get("error") or answer.json["result"]


sale = new_sale("quote")
other = Session(autocommit=False)
cancel_order(sale, other)
answer = []
thread = threading.Thread(target=lambda: answer.append(rpc("model.sale.sale.confirm", [sale.id])))
thread.start()
until(waits)
other.db.commit()
thread.join()
sale.reload()
equal((answer, sale.state, [row[0] for row in records(sale)], deliveries(sale)),
      ([None], "cancelled", ["canceled"], (0, 0)),
      "a confirmation that waited for the cancellation finds it canceled")

# A customer asks by a web shop.
sale = confirmed_sale()
task = pending_tasks()[0]
superuser("SELECT ordcancel.request_cancel('sale_sale', %s, 'customer_changed_mind')", sale.id)
equal(records(sale), [("requested", "confirmed", "customer")],
      "a customer requests the cancellation of a confirmed sale")
run_task(database, task)
sale.reload()
equal((sale.state, records(sale)[0][0]), ("processing", "denied"), "a sale that is processed denies it")
sale = confirmed_sale()
task = pending_tasks()[0]
superuser("SELECT ordcancel.request_cancel('sale_sale', %s, 'customer_changed_mind')", sale.id)
sql("SELECT ordcancel.accept_cancel('sale_sale', %s)", sale.id)
run_task(database, task)
sale.reload()
equal((sale.state, deliveries(sale)), ("cancelled", (0, 0)), "once accepted, it is not processed any more")

# Many at once.
sales = [new_sale("quote") for _ in range(5)]
equal(sql("SELECT count(*) FROM ordcancel.cancel_orders('sale_sale', %s, 'out_of_stock') WHERE outcome = 'canceled'",
          [sale.id for sale in sales]), [(5,)], "cancel_orders cancels five")
equal(len(Sale.find([("state", "=", "cancelled"), ("id", "in", [sale.id for sale in sales])])), 5, "Tryton sees five")

# Its schema: an update of the module.
update = subprocess.run(["trytond-admin", "-d", database, "-u", "sale"], stdin=subprocess.DEVNULL,
                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
ok(update.returncode == 0, "Tryton updates the module sale", update.stdout[-2000:])

# The module of doc/examples/tryton.
test_tryton.activate_module("ordcancel_sale")
config = tools._get_config()
Sale, Move = Model.get("sale.sale"), Model.get("stock.move")
sale = new_sale("quote")
superuser("SELECT ordcancel.add_block('sale_sale', 'kept', $$reference = 'keep'$$, 'It has to be kept.')")
sale.reference = "keep"
sale.save()
equal(refused(lambda: sale.click("cancel")), ("UserError", "It has to be kept."),
      "with the module, users see the HINT of the shop")
sale.reference = None
sale.save()
sale.click("cancel")
equal(superuser("SELECT requested_actor FROM ordcancel.cancellation WHERE order_key = %s", str(sale.id)),
      [(user.login,)], "and their names are on record")
for name, write in (("shipment", ship), ("invoice", invoice)):
    equal(refused(lambda: write(sale)), ("UserError", "order %d of public.sale_sale is canceled" % sale.id),
          "a user who writes its %s sees why it is refused" % name)
equal(refused(lambda: sale.click("draft")), None, "what is not refused passes")

equal(superuser("SELECT count(*) FROM sale_sale AS s WHERE (state = 'cancelled') <> EXISTS "
                "(SELECT FROM sale_sale_cancellation AS c WHERE c.order_id = s.id AND c.state = 'canceled')"), [(0,)],
      "the sales that are canceled are those on record")
equal(superuser("SELECT problem, detail FROM ordcancel.health"), [], "health finds no problem")
print("1..%d" % count)
sys.stdout.flush()
os._exit(failed > 0)        # other threads of Tryton do not end by themselves
