"""Revenue beside Odoo's reports wherever money is odd: gift cards, deliveries, goodwill, invoices,
the till with its refunds, tips and settled orders, goods that come back before they are invoiced.

The situations are those of the tests of money; after each figure that they assert, the comparison
must explain every difference, over a long period and over one that cuts documents apart.
"""

from ..sources import (
    test_money_goodwill,
    test_money_invoices,
    test_money_payment,
    test_money_shipping,
    test_till_money,
)
from .test_reconciliation import ReconciliationMixin


class Compared(ReconciliationMixin):
    def assertFigures(self, *args, **kwargs):
        result = super().assertFigures(*args, **kwargs)
        if not kwargs.get("company"):
            self.compare(self.day(500), self.day(-20))
            self.compare(self.day(22), self.day(12))
        return result


class TestComparedGoodwill(Compared, test_money_goodwill.TestGoodwill):
    pass


class TestComparedInvoices(Compared, test_money_invoices.TestInvoicedPurchases):
    pass


class TestComparedGiftCards(Compared, test_money_payment.TestGiftCards):
    pass


class TestComparedQuantities(Compared, test_money_payment.TestQuantities):
    pass


class TestComparedTransfers(Compared, test_money_shipping.TestTransfers):
    pass


class TestComparedShipping(Compared, test_money_shipping.TestShipping):
    pass


class TestComparedTillRefunds(Compared, test_till_money.TestTillRefunds):
    pass


class TestComparedTillInvoices(Compared, test_till_money.TestTillInvoices):
    pass


class TestComparedTillMoney(Compared, test_till_money.TestTillMoney):
    pass


class TestComparedTillSettling(Compared, test_till_money.TestTillSettling):
    pass
