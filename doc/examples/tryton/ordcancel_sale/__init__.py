from trytond.pool import Pool

from . import sale


def register():
    Pool.register(
        sale.Sale,
        sale.Move,
        sale.InvoiceLine,
        module='ordcancel_sale', type_='model')
