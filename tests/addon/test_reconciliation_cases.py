"""Revenue beside Odoo's reports wherever money is odd: gift cards, deliveries, goodwill, invoices.

The situations are those of the tests of money; after each figure that they assert, the comparison
must explain every difference, over a long period and over one that cuts documents apart.
"""

from . import test_money_goodwill, test_money_invoices, test_money_payment
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
