"""Counts of segments kept by the runs are those that anybody would count."""

from datetime import date, timedelta

from ..common import LifecycleCase

START = date(2024, 3, 20)


class TestSegmentFigures(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Figures Ltd")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.env["lifecycle.segment"].search([("id", ">", 0)]).unlink()
        cls.segments = cls.env["lifecycle.segment"].create(
            [
                {"name": "Some", "domain": "[('order_count', '>=', 1)]"},
                {"name": "Many", "domain": "[('order_count', '>=', 3)]"},
                {"name": "None", "domain": "[('order_count', '>=', 9)]"},
            ]
        )
        cls.profiles = cls.env["lifecycle.profile"].create(
            [
                {
                    "partner_id": cls.new_customer(f"F{count}").id,
                    "company_id": cls.company.id,
                    "order_count": count,
                    "clv_total": 100 * count,
                }
                for count in range(5)
            ]
        )

    def classify(self, today=START, **options):
        self.env["lifecycle.classifier"]._classify_segments(self.company, today, **options)
        self.env.invalidate_all()

    def shown(self):
        return [(segment.member_count, segment.member_value) for segment in self.segments]

    def counted(self):
        result = []
        for segment in self.segments:
            members = self.env["lifecycle.profile"].search(
                [("segment_ids", "in", segment.ids), ("company_id", "=", self.company.id)]
            )
            result.append((len(members), sum(members.mapped("clv_total"))))
        return result

    def test_counts_of_runs_and_refreshes_equal_a_count_by_hand(self):
        self.classify(cause="initial")
        self.assertEqual(self.shown(), [(4, 1000), (2, 700), (0, 0)])
        moved = self.profiles[0] | self.profiles[4]
        moved[0].order_count = 10
        moved[1].order_count = 2
        self.classify(START + timedelta(1), partner_ids=moved.partner_id.ids)
        self.assertEqual(self.shown(), self.counted())
        self.profiles.clv_total = 7
        self.classify(START + timedelta(2))
        self.assertEqual(self.shown(), self.counted())
        self.assertEqual(self.shown()[0][1], 35)

    def test_months_add_up_what_joined_and_left(self):
        self.classify(cause="initial")
        self.profiles[3:].order_count = 1
        self.classify(date(2024, 5, 2))
        months = self.env["lifecycle.segment.month"].search(
            [("segment_id", "=", self.segments[1].id), ("month", "<=", date(2024, 6, 1))],
            order="month",
        )
        self.assertEqual(
            [(row.month.month, row.member_count, row.left_count) for row in months],
            [(3, 2, 0), (4, 2, 0), (5, 0, 2), (6, 0, 0)],
        )

    def test_who_may_see_his_own_customers_only_learns_no_totals(self):
        seller = self.new_user("own_only", "sales_team.group_sale_salesman", self.company)
        self.profiles.partner_id.user_id = self.env.user
        self.profiles[4].partner_id.user_id = seller
        self.classify(cause="initial")
        seen = self.segments.with_user(seller)
        self.assertEqual(seen.mapped("member_count"), [1, 1, 0])
        figures = self.env["lifecycle.segment.figure"].with_user(seller)
        self.assertFalse(figures.has_access("read"))
