from datetime import timedelta

from .common import LifecycleCase


def profile_fields(model):
    return {
        name: field
        for name, field in model._fields.items()
        if (field.related or "").startswith("lifecycle_profile_id.")
    }


class PartnerFieldsCase(LifecycleCase):
    """Six contacts: two buyers, a prospect, nobody, a contact of a buyer, a foreign buyer."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Home", lifecycle_tz="UTC")
        cls.other_company = cls.new_company("Other company", lifecycle_tz="UTC")
        cls.today = cls.home._lifecycle_today()
        cls.env = cls.env["base"].with_company(cls.home).env
        Partner = cls.env["res.partner"]
        cls.big, cls.small, cls.prospect, cls.nobody, cls.foreign = Partner.create(
            [{"name": name} for name in ("Big", "Small", "Prospect", "Nobody", "Foreign")]
        )
        cls.big.is_company = True
        cls.contact = Partner.create({"name": "Contact of Big", "parent_id": cls.big.id})
        cls.all = cls.big + cls.small + cls.prospect + cls.nobody + cls.foreign + cls.contact
        cls.new_profile(
            cls.big,
            order_count=5,
            first_order_date=cls.today - timedelta(days=400),
            last_order_date=cls.today - timedelta(days=40),
            revenue=1000,
            revenue_year=700,
            average_order_value=200,
            order_interval=90,
            clv_historical=1000,
            clv_predicted=500,
            clv_total=1500,
            p_alive=0.9,
            p_order=0.8,
            p_order_30=0.25,
            expected_orders=3.5,
            next_order_date=cls.today + timedelta(days=50),
            next_order_from=cls.today + timedelta(days=30),
            next_order_to=cls.today + timedelta(days=70),
            predicted=True,
        )
        cls.new_profile(
            cls.small,
            order_count=1,
            first_order_date=cls.today,
            last_order_date=cls.today,
            revenue=50,
            revenue_year=50,
            average_order_value=50,
            clv_historical=50,
            clv_total=50,
        )
        cls.new_profile(cls.prospect)
        cls.new_profile(
            cls.foreign, cls.other_company, order_count=9, clv_historical=90, clv_total=90
        )

    @classmethod
    def new_profile(cls, partner, company=None, **values):
        company = company or cls.env.company
        zeros = dict.fromkeys(
            ("order_count", "revenue", "revenue_year", "clv_historical", "clv_total"), 0
        )
        return cls.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                **zeros,
                **values,
            }
        )

    def found(self, domain, **options):
        return self.env["res.partner"].search([("id", "in", self.all.ids), *domain], **options)
