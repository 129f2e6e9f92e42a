import random
from datetime import timedelta

import numpy as np

from odoo.exceptions import ValidationError
from odoo.tools import SQL

from ..common import LifecycleCase

FIFTHS = (0.2, 0.4, 0.6, 0.8)


def score(values):
    """Scores by numpy's inverted distribution function, which is the definition of a quantile."""
    values = np.asarray(values, dtype=float)
    boundaries = np.quantile(values, FIFTHS, method="inverted_cdf")
    return 1 + np.searchsorted(boundaries, values, side="left")


class TestRfm(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("RFM Ltd")
        cls.env = cls.env(
            context={**cls.env.context, "allowed_company_ids": cls.company.ids}
        )
        cls.today = cls.company._lifecycle_today()
        cls.classifier = cls.env["lifecycle.classifier"]
        cls.groups = cls.env["lifecycle.rfm.group"]
        cls.profiles = cls.env["lifecycle.profile"].sudo()

    def make_buyers(self, count, seed=7):
        """Buyers whose orders, days and amounts have many equal values."""
        generator = random.Random(seed)
        partners = self.env["res.partner"].create([{"name": f"B{i}"} for i in range(count)])
        return self.profiles.create(
            [
                {
                    "partner_id": partner.id,
                    "company_id": self.company.id,
                    "currency_id": self.company.currency_id.id,
                    "order_count": generator.choice((1, 1, 1, 2, 2, 3, 5, 8, 13)),
                    "last_order_date": self.today - timedelta(generator.randint(0, 60) ** 2 // 8),
                    "average_order_value": generator.choice((10, 20, 33.33, 50, 99.99, 250)),
                }
                for partner in partners
            ]
        )

    def classify(self, today=None, **options):
        count = self.classifier._classify_rfm(self.company, today or self.today, **options)[0]
        self.env.invalidate_all()
        return count

    def test_scores_equal_a_second_method_and_equal_values_get_equal_scores(self):
        profiles = self.make_buyers(523)
        self.assertEqual(self.classify(), 523)
        for name, column in (
            ("rfm_recency", [day.toordinal() for day in profiles.mapped("last_order_date")]),
            ("rfm_frequency", [profile.order_count for profile in profiles]),
            ("rfm_monetary", [profile.average_order_value for profile in profiles]),
        ):
            found = [profile[name] for profile in profiles]
            self.assertEqual(found, list(score(column)), name)
            by_value = {}
            for value, points in zip(column, found, strict=True):
                self.assertEqual(by_value.setdefault(value, points), points, name)
        for profile in profiles:
            scores = (profile.rfm_recency, profile.rfm_frequency, profile.rfm_monetary)
            self.assertEqual(profile.rfm_score, "".join(map(str, scores)))
            self.assertEqual(
                profile.rfm_group_id,
                self.groups._of_method("scores")._first_taking(
                    profile.order_count, scores=scores
                ),
            )

    def test_only_what_differs_is_written(self):
        profiles = self.make_buyers(250)
        self.assertEqual(self.classify(), 250)
        self.assertEqual(self.classify(), 0)
        self.assertEqual(self.classify(self.today + timedelta(30)), 0)
        profiles[0].order_count = 1000
        self.assertLess(self.classify(), 10)

    def test_each_of_125_scores_is_in_exactly_one_group(self):
        groups = self.groups._of_method("scores")
        for orders in (1, 2, 50):
            for scores in self.groups._all_scores():
                expression = self.groups._group_sql("scores", scores, orders, 0)
                found = self.env.execute_query(SQL("SELECT %s", expression))[0][0]
                expected = groups._first_taking(orders, scores=scores)
                self.assertTrue(expected, (scores, orders))
                self.assertEqual(found, expected.id, (scores, orders))
        self.assertEqual(len(self.groups._all_scores()), 125)

    def test_group_names_are_not_those_of_stages(self):
        stages = set(self.env["lifecycle.stage"].search([("id", ">", 0)]).mapped("name"))
        self.assertFalse(stages & set(self.groups.search([("id", ">", 0)]).mapped("name")))

    def test_groups_mean_what_they_are_called(self):
        def name(orders, *scores):
            groups = self.groups._of_method("scores")
            return groups._first_taking(orders, scores=scores).name

        self.assertEqual(name(20, 5, 5, 5), "Champions")
        self.assertEqual(name(1, 5, 1, 2), "First-timers")
        self.assertEqual(name(1, 1, 1, 5), "One-time")
        self.assertEqual(name(2, 1, 1, 5), "Dormant", "two orders are not one time")
        self.assertEqual(name(20, 1, 5, 5), "Cannot lose")
        self.assertEqual(name(20, 2, 5, 2), "Slipping")

    def test_ranges_that_leave_somebody_out_are_refused(self):
        dormant = self.env.ref("customer_lifecycle.rfm_group_dormant")
        quiet = self.env.ref("customer_lifecycle.rfm_group_plain_one_quiet")
        cases = [
            ("with the scores 12", lambda: dormant.write({"frequency_from": 3})),
            ("with the scores", dormant.unlink),
            ("fixed thresholds", quiet.action_archive),
        ]
        for message, change in cases:
            with (
                self.assertRaisesRegex(ValidationError, f"No group .*{message}"),
                self.env.cr.savepoint(),
            ):
                change()
            self.env.invalidate_all()

    def test_below_200_buyers_thresholds_decide_and_the_screen_says_so(self):
        profiles = self.make_buyers(4)
        cases = [(5, 10, "Repeat, recent"), (1, 180, "One order, recent"),
                 (2, 181, "Repeat, quiet"), (1, 500, "One order, quiet")]
        for profile, (orders, days, _name) in zip(profiles, cases, strict=True):
            profile.write(
                {"order_count": orders, "last_order_date": self.today - timedelta(days)}
            )
        self.classify()
        self.assertEqual(
            [profile.rfm_group_id.name for profile in profiles], [name for *_, name in cases]
        )
        self.assertFalse(any(profiles.mapped("rfm_score")))
        self.assertIn("Fixed thresholds: the company has 4 buyers", profiles[0].rfm_note)
        champions = self.env.ref("customer_lifecycle.rfm_group_champions")
        self.assertEqual(champions.use_note, "no: 4 buyers, scores need 200")
        # time alone moves them on
        self.assertEqual(self.classify(self.today + timedelta(1)), 1)
        self.assertEqual(profiles[1].rfm_group_id.name, "One order, quiet")

    def test_a_refreshed_customer_is_scored_as_by_the_nightly_run(self):
        profiles = self.make_buyers(300)
        self.classify()
        changed = profiles[17]
        changed.write({"order_count": 500, "last_order_date": self.today})
        scale = self.env["lifecycle.rfm.scale"]._current(self.company)
        boundaries = scale.recency
        self.assertEqual(self.classify(partner_ids=changed.partner_id.ids), 1)
        self.assertEqual((changed.rfm_recency, changed.rfm_frequency), (5, 5))
        self.assertEqual(scale.recency, boundaries, "a refresh measures nobody else")
        refreshed = changed.rfm_score, changed.rfm_group_id
        self.classify()
        self.assertEqual((changed.rfm_score, changed.rfm_group_id), refreshed)

    def test_who_buys_no_more_has_no_score(self):
        profiles = self.make_buyers(220)
        self.classify()
        profiles[0].order_count = 0
        profiles[1].active = False
        self.classify()
        self.assertFalse(profiles[0].rfm_score or profiles[0].rfm_group_id)
        self.assertFalse(profiles[1].rfm_score or profiles[1].rfm_group_id)
        self.assertTrue(profiles[2].rfm_score and profiles[2].rfm_group_id)

    def test_companies_are_measured_apart(self):
        other = self.new_company("Other RFM Ltd")
        profiles = self.make_buyers(240)
        profiles[:120].company_id = other
        self.classify()
        self.assertFalse(any(profiles.mapped("rfm_score")), "120 buyers each are too few")
        self.assertTrue(all(profile.rfm_group_id for profile in profiles[120:]))
        self.assertFalse(any(profile.rfm_group_id for profile in profiles[:120]))

    def test_the_reason_names_what_the_next_score_takes(self):
        best = self.make_buyers(250)[0]
        best.write(
            {"order_count": 99, "last_order_date": self.today, "average_order_value": 999}
        )
        self.classify()
        scale = self.env["lifecycle.rfm.scale"]._current(self.company)
        profile = self.profiles.search([("rfm_frequency", "=", 4)], limit=1)
        self.assertIn(f"above {scale.frequency[profile.rfm_frequency - 1]})", profile.rfm_note)
        self.assertEqual(best.rfm_score, "555")
        self.assertNotIn("above", best.rfm_note)

    def test_contacts_are_found_and_grouped_by_rfm(self):
        profiles = self.make_buyers(230)
        self.classify()
        partners = self.env["res.partner"]
        champions = self.env.ref("customer_lifecycle.rfm_group_champions")
        expected = profiles.filtered(lambda profile: profile.rfm_group_id == champions)
        self.assertTrue(expected)
        self.assertEqual(
            partners.search([("lifecycle_rfm_segment", "=", champions.id)]), expected.partner_id
        )
        grouped = dict(
            partners._read_group(
                [("id", "in", profiles.partner_id.ids)], ["lifecycle_rfm_segment"], ["__count"]
            )
        )
        self.assertEqual(grouped[champions], len(expected))
        self.assertEqual(
            partners.search_count([("lifecycle_rfm_score", "=", profiles[0].rfm_score)]),
            len(profiles.filtered(lambda p: p.rfm_score == profiles[0].rfm_score)),
        )
