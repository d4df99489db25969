"""SQLAlchemy, 1.4 and 2.0"""
import select

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session, declarative_base

from tap import cut, done_testing, equal, meanwhile, raised

Base = declarative_base()


class Order(Base):
    __tablename__ = "orders"
    __table_args__ = {"schema": "shop"}
    id = sa.Column(sa.Integer, primary_key=True)
    status = sa.Column(sa.Text)
    gift_note = sa.Column(sa.Text)


def cancel(session, order, reason, actor):
    try:
        state = session.execute(
            sa.text("SELECT state FROM ordcancel.cancel_order('shop.orders', :id, :reason, actor => :actor)"),
            {"id": order.id, "reason": reason, "actor": actor}).scalar_one()
        session.refresh(order)          # the function has written the row
        return state
    except DBAPIError as error:
        session.rollback()
        diag = error.orig.diag
        if not (diag.sqlstate or "").startswith("OC"):      # None: the connection is lost
            raise
        return f"{diag.sqlstate}: {diag.message_hint or diag.message_primary}"


def save(session):
    try:
        session.commit()
        return "saved"
    except IntegrityError as error:
        session.rollback()              # objects are read again when next used
        return error.orig.diag.constraint_name


def next_payload(db):
    # LISTEN was executed on this connection of the driver's, outside of a transaction.
    while not db.notifies:
        select.select([db], [], [], 1)
        db.poll()
    return db.notifies.pop(0).payload


engine = sa.create_engine("postgresql+psycopg2://")
session = Session(engine)

of_the_pool = engine.raw_connection()       # kept, else it goes back
ear = of_the_pool.driver_connection
ear.autocommit = True
ear.cursor().execute("LISTEN ordcancel")

equal(cancel(session, session.get(Order, 1), "out_of_stock", "anna"), "canceled", "a call")
equal(session.get(Order, 1).status, "canceled", "and the object knows of it")
session.commit()
equal('"order_id":"1"' in next_payload(ear), True, "a notification arrives")
equal(cancel(session, session.get(Order, 21), None, None), "OC003: Process it as a return.", "a refusal")
order = session.get(Order, 21)
order.status = "canceled"
equal(save(session), "cancellation_forbidden", "a refusal of a plain update")
equal(order.status, "shipped", "after which the object is as the order is")

# Only columns that were changed are written: no harm is done.
order = session.get(Order, 5)
equal(order.status, "placed", "an order is loaded")
meanwhile("SELECT ordcancel.cancel_order('shop.orders', 5)")
order.gift_note = "Happy birthday"
equal(save(session), "saved", "a change of another column passes")
equal(order.status, "canceled", "and leaves the status alone")

# merge() takes a whole object over, as a form has sent it.
session.merge(Order(id=5, status="placed", gift_note="Merry Christmas"))
equal(save(session), "order_is_canceled", "a stale object that is merged is refused")
meanwhile("SELECT ordcancel.request_cancel('shop.orders', 9)")
session.merge(Order(id=9, status="placed", gift_note="Merry Christmas"))
equal(save(session), "order_on_hold", "while a request is open too")
equal(session.get(Order, 9).status, "cancellation_requested", "and the request stays open")
session.commit()

with session.begin():
    session.execute(sa.text("SET LOCAL ordcancel.actor = 'kim'"))
    session.get(Order, 6).status = "canceled"
equal(meanwhile("SELECT actor FROM ordcancel.event WHERE order_key = '6'"), "kim", "a plain update says who acts")

order = session.get(Order, 7)
cut(session.connection().connection.driver_connection)
equal(raised(lambda: cancel(session, order, None, None)), "OperationalError", "a lost connection is no refusal")
done_testing()
