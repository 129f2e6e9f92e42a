"""What VIP tiers can count of a customer: one object a measure, and the list of them.

Comes in: a tier, and a profile or the table of profiles. Goes out: values as SQL and as numbers,
what a purchase counts, and words. Asked by tiers for thresholds, by the classifier for members,
and by the profile for reasons and for what is missing. Another add-on makes a subclass of
:class:`Measure` and registers an instance; its name is stored on tiers.
"""

from datetime import date, timedelta

from odoo.tools import SQL
from odoo.tools.misc import formatLang
from odoo.tools.translate import LazyTranslate

_lt = LazyTranslate(__name__)

#: name → measure, in the order of the screen
MEASURES = {}


def register(measure):
    """Let tiers count something.

    :param measure: instance of a subclass of :class:`Measure`
    """
    MEASURES[measure.name] = measure


class Window:
    """A value and the number of orders that it belongs to, as columns of the profile."""

    def __init__(self, value, orders="order_count"):
        self.value, self.orders = value, orders

    def check(self, env):
        """Find out whether both can be read.

        :raise KeyError, psycopg2.Error: they cannot, as after uninstalling an app
        """
        for name in (self.value, self.orders):
            if name not in env["lifecycle.profile"]._fields:
                raise KeyError(name)

    def value_sql(self):
        """SQL of the value over the table ``lifecycle_profile`` as ``profile``; may be NULL."""
        return SQL.identifier("profile", self.value)

    def orders_sql(self):
        """SQL of the number of orders, alike."""
        return SQL.identifier("profile", self.orders)

    def join_sql(self, partner_ids=None):
        """JOIN that both need, or None.

        :param partner_ids: ids of the only customers that are looked at
        """
        return None

    def worth(self, profile):
        """Value and number of orders of one profile."""
        return profile[self.value] or 0, profile[self.orders] or 0


class SqlWindow(Window):
    """A value and a number of orders that no column holds.

    :param value, orders: SQL over the table ``lifecycle_profile`` as ``profile``
    """

    def check(self, env):
        env.execute_query(SQL("EXPLAIN %s", self._select(0)))

    def value_sql(self):
        return self.value

    def orders_sql(self):
        return self.orders

    def worth(self, profile):
        profile.env.flush_all()
        ((value, orders),) = profile.env.execute_query(self._select(profile.id)) or [(0, 0)]
        return value or 0, orders or 0

    def _select(self, profile_id):
        return SQL(
            "SELECT %s, %s FROM lifecycle_profile profile WHERE profile.id = %s",
            self.value,
            self.orders,
            profile_id,
        )


class ProductsWindow(SqlWindow):
    """What was bought of a tier's products on some days: of all customers in one pass.

    :param total: SQL of the value over rows of ``lifecycle_purchase_item``
    :param first, last: days
    """

    def __init__(self, tier, total, first, last):
        self.tier, self.total, self.first, self.last = tier, total, first, last
        self.name = f"bought_{tier.id or 0}_{first:%Y%m%d}"
        super().__init__(
            SQL.identifier(self.name, "value"), SQL.identifier(self.name, "orders")
        )

    def join_sql(self, partner_ids=None):
        among = self.tier._products_sql()
        return SQL(
            """LEFT JOIN (SELECT partner_id, %(total)s AS value,
                                 COUNT(DISTINCT day) FILTER (WHERE amount > 0 OR quantity > 0)
                                 AS orders
                            FROM lifecycle_purchase_item
                           WHERE company_id = %(company)s AND %(few)s AND %(among)s
                             AND day BETWEEN %(first)s AND %(last)s
                           GROUP BY partner_id) %(name)s
                      ON %(name)s.partner_id = profile.partner_id""",
            total=self.total,
            company=self.tier.company_id.id,
            few=SQL("TRUE")
            if partner_ids is None
            else SQL("partner_id = ANY(%s)", list(partner_ids)),
            among=SQL("product_id IN %s", among) if among else SQL("TRUE"),
            first=self.first,
            last=self.last,
            name=SQL.identifier(self.name),
        )

    def worth(self, profile):
        profile.env.flush_all()
        found = profile.env.execute_query(
            self._select(profile.id, profile.partner_id.ids)
        )
        value, orders = found[0] if found else (0, 0)
        return float(value or 0), orders or 0

    def _select(self, profile_id, partner_ids=()):
        return SQL(
            "SELECT %s, %s FROM lifecycle_profile profile %s WHERE profile.id = %s",
            self.value,
            self.orders,
            self.join_sql(partner_ids),
            profile_id,
        )


class Measure:
    """Something that a tier can count; as it stands here, an amount that does not end."""

    #: technical name, which tiers keep
    name = None
    #: what people choose by
    label = None
    #: whether only the last 12 months count, or calendar years
    in_window = False
    #: whether thresholds are numbers of orders, and not amounts
    counts_orders = False
    #: whether customers reach a threshold by ordering more
    is_reached_by_orders = True
    #: measure that takes its place where a tier names products; none: it cannot be told by product
    of_products = None
    #: sentence on a drop, where purchases do not tell what lowered the value
    why_fallen = None

    def windows(self, tier):
        """List of :class:`Window`; any of them may meet a threshold.

        What is ordered today counts in the first; of calendar years there are two, this one and
        the last.
        """
        raise NotImplementedError

    def counted(self, amount, value):
        """What a purchase counts; None where the measure is no sum over purchases.

        :param amount, value: net revenue, and what the company's settings call value
        """
        return None

    def offered(self, amount, orders):
        """What an offer counts, once it is ordered.

        :param amount: net, in company currency
        :param orders: number of orders
        """
        return orders if self.counts_orders else amount

    def shown(self, tier, number):
        """A threshold or a value as people read it."""
        if self.counts_orders:
            return tier.env._("%s orders", int(number))
        currency = tier.currency_id
        whole = currency.is_zero(number - round(number))
        return formatLang(
            tier.env,
            number,
            currency_obj=currency,
            rounding_unit="units" if whole else "decimals",
        )


class Unknown(Measure):
    """In place of one that is no longer there: its tiers are switched off, and say so."""

    def windows(self, tier):
        return [Window(tier.measure)]


class _Years(Measure):
    """A sum of the last 365 days, or of calendar years: three columns a sum."""

    in_window = True
    column = None

    def windows(self, tier):
        years = ("year",) if tier.term == "rolling" else ("this_year", "last_year")
        return [Window(f"{self.column}_{year}", f"orders_{year}") for year in years]


class _OfProducts(Measure):
    """What was bought of some products, in the same days: kept by product, and by no column."""

    in_window = True
    # an offer may name other products
    is_reached_by_orders = False
    total = None
    why_fallen = _lt("Less of the products that the tier counts was bought.")

    @property
    def of_products(self):
        return self

    def windows(self, tier):
        today = tier.company_id._lifecycle_today()
        if tier.term == "rolling":
            spans = [(today - timedelta(364), today)]
        else:
            spans = [
                (date(today.year, 1, 1), today),
                (date(today.year - 1, 1, 1), date(today.year - 1, 12, 31)),
            ]
        return [ProductsWindow(tier, self.total, *span) for span in spans]


class _ProductRevenue(_OfProducts):
    name, label = "revenue", _lt("Net revenue")
    total = SQL("COALESCE(SUM(amount), 0)")


class _ProductOrders(_OfProducts):
    name, label = "orders", _lt("Number of orders")
    total = SQL("COUNT(DISTINCT day) FILTER (WHERE amount > 0 OR quantity > 0)")
    counts_orders = True


class Quantity(_OfProducts):
    name, label = "quantity", _lt("Quantity")
    total = SQL("COALESCE(SUM(quantity), 0)")
    counts_orders = True

    def shown(self, tier, number):
        return tier.env._("%s pieces", int(number))


class Revenue(_Years):
    name, label, column = "revenue", _lt("Net revenue"), "revenue"
    of_products = _ProductRevenue()

    def counted(self, amount, value):
        return amount


class Margin(_Years):
    name, label, column = "margin", _lt("Margin"), "value"

    def counted(self, amount, value):
        return value


class Orders(_Years):
    name, label, column = "orders", _lt("Number of orders"), "orders"
    counts_orders = True
    of_products = _ProductOrders()

    def counted(self, amount, value):
        return int(amount > 0)


class Earned(Measure):
    name, label = "earned", _lt("Earned so far")

    def windows(self, tier):
        return [Window("clv_historical")]

    def counted(self, amount, value):
        return value


class _Expected(Measure):
    """What rests on expectations, with the column that holds it."""

    column = None
    why_fallen = _lt("The customer's expected purchases have fallen.")

    def windows(self, tier):
        return [Window(self.column)]


class Expected(_Expected):
    name, label, column = "expected", _lt("Expected in the next 12 months"), "clv_predicted"
    is_reached_by_orders = False


class Total(_Expected):
    name, label, column = "total", _lt("Customer lifetime value"), "clv_total"


class Potential(_Expected):
    name, label, column = "potential", _lt("Potential per year"), "potential"
    is_reached_by_orders = False


for kind in (Revenue, Margin, Orders, Quantity, Earned, Expected, Total, Potential):
    register(kind())
