"""Customers who have moved through the stages, for tests of the journey map."""

from datetime import timedelta

from .common import LifecycleCase


class MapCase(LifecycleCase):
    """A company of its own whose customers have moved through the stages."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Map Works", lifecycle_tz="UTC")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.company = cls.company.with_env(cls.env)
        cls.map = cls.env["lifecycle.journey.map"]
        cls.today = cls.company._lifecycle_today()
        cls.stages = cls.env["lifecycle.stage"]._in_force(order="sequence, id")
        cls.lost = cls.stages.filtered("is_lost")[:1]
        cls.period = {
            "start": str(cls.today - timedelta(199)),
            "end": str(cls.today - timedelta(20)),
        }

    @classmethod
    def new_profile(cls, partner, moves=(), company=None, **values):
        """A profile with moves: list of (days ago, stage, cause)."""
        company = company or cls.company
        zeros = dict.fromkeys(
            ("order_count", "revenue", "revenue_year", "clv_historical", "clv_total"), 0
        )
        profile = cls.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                **zeros,
                **values,
            }
        )
        before, since = cls.env["lifecycle.stage"], None
        for number, (days_ago, stage, cause) in enumerate(moves, 1):
            date = cls.today - timedelta(days_ago)
            cls.env["lifecycle.transition"].create(
                {
                    "profile_id": profile.id,
                    "kind": "stage",
                    "number": number,
                    "from_stage_id": before.id,
                    "to_stage_id": stage.id,
                    "date": date,
                    "cause": cause,
                    "days_before": (date - since).days if since else 0,
                }
            )
            before, since = stage, date
        profile.sudo().write({"stage_date": since})
        cls.env.flush_all()
        cls.env.cr.execute(
            "UPDATE lifecycle_profile SET stage_id = %s WHERE id = %s", [before.id or None,
                                                                         profile.id]
        )
        profile.invalidate_recordset()
        return profile

    def number_of(self, key, *domain):
        return self.env["lifecycle.profile"].search_count(
            [("company_id", "=", self.company.id), ("journey_map_cell", "=", key), *domain]
        )
