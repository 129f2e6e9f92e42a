"""A company with segments of its own, and what happens to its customers in them."""

from datetime import date

from .common import LifecycleCase

START = date(2024, 1, 10)


class SegmentCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Segments Ltd")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        # none but this test's own
        cls.env["lifecycle.segment"].search([("id", ">", 0)]).unlink()
        cls.classifier = cls.env["lifecycle.classifier"]
        cls.segments = cls.env["lifecycle.segment"]
        cls.belgium = cls.env.ref("base.be")
        cls.france = cls.env.ref("base.fr")

    def new_segment(self, name, domain, **values):
        return self.segments.create({"name": name, "domain": repr(domain), **values})

    def new_profile(self, name, company=None, partner=None, **values):
        partner = partner or self.new_customer(name)
        company = company or self.company
        return self.env["lifecycle.profile"].sudo().create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                **values,
            }
        )

    def classify(self, today=START, company=None, **options):
        result = self.classifier._classify_segments(company or self.company, today, **options)
        self.env.invalidate_all()
        return result

    def history(self, profile, segment):
        moves = profile.transition_ids.filtered(lambda move: move.segment_id == segment)
        return [
            (move.number, move.joined, move.date, move.cause, move.days_before)
            for move in moves.sorted("number")
        ]

    def members(self, segment):
        return segment.member_ids.profile_id
