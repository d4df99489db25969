"""Shows refusals of ordcancel to the users of Tryton, and tells ordcancel who they are."""
from contextlib import contextmanager

from trytond import backend
from trytond.exceptions import UserError
from trytond.pool import Pool, PoolMeta
from trytond.transaction import Transaction

# The HINT of these is that of the rule or block, which the shop wrote.
FOR_USERS = {'cancellation_forbidden', 'cancellation_blocked', 'grace_period_over'}
CONDITIONS = FOR_USERS | {
    'invalid_policy', 'invalid_reason', 'order_is_canceled', 'order_on_hold', 'refund_not_settled',
    'undo_not_allowed'}


@contextmanager
def refusals():
    try:
        yield
    except backend.DatabaseIntegrityError as error:
        diag = error.diag
        if diag.constraint_name not in CONDITIONS:
            raise
        # No gettext(): it would query a transaction that is aborted.
        hint = diag.message_hint if diag.constraint_name in FOR_USERS else None
        raise UserError(hint or diag.message_primary, diag.message_detail or '') from error


class Sale(metaclass=PoolMeta):
    __name__ = 'sale.sale'

    @classmethod
    def write(cls, *args):
        transaction = Transaction()
        if any('state' in values for values in args[1::2]):
            user = Pool().get('res.user')(transaction.user)
            with transaction.connection.cursor() as cursor:
                # Until the end of the transaction.
                cursor.execute("SELECT set_config('ordcancel.actor', %s, true)", [user.login])
        with refusals():
            super().write(*args)

    @classmethod
    def delete(cls, sales):
        with refusals():
            super().delete(sales)


class Move(metaclass=PoolMeta):
    __name__ = 'stock.move'

    @classmethod
    def create(cls, vlist):
        with refusals():
            return super().create(vlist)


class InvoiceLine(metaclass=PoolMeta):
    __name__ = 'account.invoice.line'

    @classmethod
    def create(cls, vlist):
        with refusals():
            return super().create(vlist)
