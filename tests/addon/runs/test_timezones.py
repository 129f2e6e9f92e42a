"""Time zones that the database does not know cost neither a night nor a journey."""

from datetime import datetime
from unittest.mock import patch

from freezegun import freeze_time

from ..common import LifecycleCase

LEGACY = {"US/Eastern", "Asia/Calcutta", "GB", "Europe/Kiev"}


class TestTimezones(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.company = cls.new_company("Zones Ltd")
        cls.env = cls.env(context={**cls.env.context, "allowed_company_ids": cls.company.ids})
        cls.zones = cls.env["lifecycle.timezone"]

    def setUp(self):
        super().setUp()
        self.addCleanup(self.env.registry.clear_cache)
        self.env.registry.clear_cache()

    def without_legacy(self):
        """A server without the package of former names."""
        names = self.zones._database_names() - LEGACY
        self.env.registry.clear_cache()
        self.startPatcher(patch.object(type(self.zones), "_database_names", lambda self: names))

    def set_zone(self, name):
        """As an older database has it: Odoo itself would refuse some of these."""
        self.env.flush_all()
        self.env.cr.execute(
            "UPDATE res_company SET lifecycle_tz_used = %s WHERE id = %s", [name, self.company.id]
        )
        self.env.invalidate_all()

    def test_former_names_stand_for_the_zone_of_today(self):
        self.without_legacy()
        self.assertEqual(self.zones._known("US/Eastern"), "America/New_York")
        self.assertEqual(self.zones._known("Asia/Calcutta"), "Asia/Kolkata")
        for name in ("GB", "Europe/Kiev", "us/eastern", "europe/berlin", "EUROPE/PARIS"):
            found = self.zones._known(name)
            self.assertIn(found, self.zones._database_names(), name)
            self.assertNotEqual(found, "UTC", name)
            self.assertEqual(self.zones._clock(found), self.zones._clock(name), name)

    def test_what_is_known_stays_and_what_nobody_knows_is_utc(self):
        self.assertEqual(self.zones._known("Europe/Berlin"), "Europe/Berlin")
        for name in ("Mars/Olympus", "", None, False, "UTC", "'; DROP"):
            self.assertEqual(self.zones._known(name), "UTC", name)
        self.assertTrue(self.zones._is_unknown("Mars/Olympus"))
        for name in ("UTC", "Etc/UTC", "Europe/Berlin", "Zulu", None):
            self.assertFalse(self.zones._is_unknown(name), name)

    def nights(self, name):
        self.set_zone(name)
        partner = self.new_customer("Night", email="night@example.com")
        with freeze_time(datetime(2026, 3, 4, 3, 30)):
            self.new_order(partner, 100, company=self.company)
            self.run_nightly()
            runs = self.env["lifecycle.run"].search([("company_id", "=", self.company.id)])
            self.assertEqual(set(runs.mapped("state")), {"done"}, runs.mapped("message"))
            journey = self.env["lifecycle.journey"].with_context(tz=name).get_journey(
                partner.id, {"overview": True, "start": "2026-03-03", "end": "2026-03-04"}
            )
        self.assertTrue(journey["items"])
        self.assertFalse(journey["warnings"])
        return self.profile(partner, self.company), " ".join(runs.mapped("message")), journey

    def test_a_night_in_a_zone_by_its_former_name(self):
        self.without_legacy()
        profile, told, journey = self.nights("US/Eastern")
        # half past ten in the evening in New York
        self.assertEqual(str(profile.last_order_date), "2026-03-03")
        self.assertEqual(journey["today"], "2026-03-03")
        self.assertNotIn("not known", told)

    def test_a_night_in_a_zone_that_nobody_knows(self):
        profile, told, _journey = self.nights("Mars/Olympus")
        self.assertEqual(str(profile.last_order_date), "2026-03-04")
        self.assertIn("Mars/Olympus", told)

    def test_a_night_in_a_zone_written_in_another_case(self):
        profile, _told, _journey = self.nights("us/EASTERN")
        self.assertEqual(str(profile.last_order_date), "2026-03-03")
