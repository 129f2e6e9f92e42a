"""Pricelist, salesperson and loyalty card that come with a VIP tier: given, and taken back.

In: profiles whose tier, or the day of a coming drop, differs from what was last dealt with. Out:
the benefits on the contact, an activity before a drop, or what was the matter. A scheduled action
works it off; the classifier and tiers set by hand wake it, and uninstalling takes all back.
"""

import logging

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.batches import CONFLICTS, attempt, in_batches, wake

_logger = logging.getLogger(__name__)

CRON = "customer_lifecycle.ir_cron_lifecycle_benefits"
#: customers whose benefits are written between two commits
BATCH = 200
#: benefits are nobody's news: no mail of assignments, no mail of new cards
QUIET = {
    "loyalty_no_mail": True,
    "mail_activity_quick_update": True,
    "mail_auto_subscribe_no_notify": True,
}


class LifecycleVipBenefit(models.AbstractModel):
    """Gives customers what their tier brings, and takes back what is still ours.

    What is to be done is read from the profiles, not from the changes that led there: a profile
    whose tier differs from the one its benefits were given for waits, whatever crashed meanwhile.
    Doing it twice changes nothing.
    """

    _name = "lifecycle.vip.benefit"
    _description = "VIP Benefits"

    # ----- SCHEDULED ACTION -----

    @api.model
    def _wake(self):
        """Have the scheduled action run if somebody waits for it."""
        if self._waiting(limit=1):
            wake(self.env, CRON)

    @api.model
    def _cron_benefits(self):
        """Deal with everybody who waits, in batches that are committed."""
        self.env["ir.cron"]._commit_progress(remaining=self._count_waiting())
        if not in_batches(self.env, self._waiting, self._process):
            # without a wake-up of its own the rest would wait for the next poll
            wake(self.env, CRON)
        elif self._waiting(limit=1):
            # somebody is working on these customers now
            wake(self.env, CRON, minutes=1)

    @api.model
    def _waiting_sql(self):
        return SQL(
            """(vip_tier_id IS DISTINCT FROM vip_applied_tier_id OR vip_benefits_due
                OR vip_review_date IS DISTINCT FROM vip_announced_date)"""
        )

    @api.model
    def _waiting(self, after=0, limit=BATCH):
        """Ids of the profiles that wait, from a position on."""
        self.env["lifecycle.profile"].flush_model()
        self.env.cr.execute(
            SQL(
                "SELECT id FROM lifecycle_profile WHERE %s AND id > %s ORDER BY id LIMIT %s",
                self._waiting_sql(),
                after,
                limit,
            )
        )
        return [row[0] for row in self.env.cr.fetchall()]

    @api.model
    def _count_waiting(self):
        self.env.cr.execute(
            SQL("SELECT COUNT(*) FROM lifecycle_profile WHERE %s", self._waiting_sql())
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _process(self, profile_ids):
        """Bring some profiles' benefits up to date; one that fails is marked and left alone.

        Whoever is being edited by somebody else is left for the next time.
        """
        profiles = self.env["lifecycle.profile"].sudo().browse(profile_ids)
        for profile in profiles.with_context(**QUIET):
            try:
                error = attempt(self.env, self._process_profile, profile)
            except CONFLICTS as conflict:
                _logger.info("Benefits of profile %s are put off: %s", profile.id, conflict)
                continue
            if error:
                # one customer's broken data must not keep the others from their benefits
                _logger.warning("Benefits of profile %s failed: %s", profile.id, error)
                self._settle(profile, str(error))

    @api.model
    def _lock(self, profile):
        """Lock the profile and its contact unless somebody else holds one of them."""
        self.env.cr.execute(
            SQL(
                """SELECT profile.id FROM lifecycle_profile profile
                     JOIN res_partner partner ON partner.id = profile.partner_id
                    WHERE profile.id = %s FOR NO KEY UPDATE SKIP LOCKED""",
                profile.id,
            )
        )
        return bool(self.env.cr.fetchall())

    @api.model
    def _settle(self, profile, problem):
        profile.write(
            {
                "vip_applied_tier_id": profile.vip_tier_id.id,
                "vip_announced_date": profile.vip_review_date,
                "vip_benefits_due": False,
                "vip_problem": problem or False,
            }
        )

    @api.model
    def _process_profile(self, profile):
        if not self._lock(profile):
            return
        company = profile.company_id
        profile = profile.with_company(company)
        if company._lifecycle_tier_company() != company:
            # the tier is the head office's, which gives what it brings
            self._settle(profile, False)
            return
        problem = profile.vip_problem
        if profile.vip_benefits_due or profile.vip_tier_id != profile.vip_applied_tier_id:
            problem = self._apply(profile)
        if profile.vip_review_date != profile.vip_announced_date:
            problem = self._try_announce(profile) or problem
        self._settle(profile, problem)

    # ----- BENEFITS -----

    @api.model
    def _apply(self, profile):
        """Give one customer what his tier brings; return what could not be given, or None."""
        problem = self._apply_pricelist(profile)
        self._apply_salesperson(profile)
        self._enrol(profile)
        return problem

    @api.model
    def _apply_pricelist(self, profile):
        """Set the tier's pricelist in the customer's currency, unless a person chose one."""
        partner, tier = profile.partner_id, profile.vip_tier_id
        present = partner.specific_property_product_pricelist
        ours = profile.vip_pricelist_id
        if (present and present != ours) or partner.commercial_partner_id != partner:
            # chosen by a person, or now that of another company, to which a write would climb:
            # it stays, and is no longer ours to take back
            profile.vip_pricelist_id = False
            return None
        currency = (
            partner.property_product_pricelist.currency_id or profile.company_id.currency_id
        )
        wanted = tier.pricelist_ids.filtered(
            lambda pricelist: pricelist.active and pricelist.currency_id == currency
        )[:1]
        if tier.pricelist_ids and not wanted:
            # unchanged, as long as what he has is not left over from another tier
            if present and present not in tier.pricelist_ids:
                self._write_pricelist(profile, wanted)
            return self.env._(
                "“%(tier)s” has no pricelist in %(currency)s.",
                tier=tier.name,
                currency=currency.name,
            )
        self._write_pricelist(profile, wanted)
        return None

    @api.model
    def _write_pricelist(self, profile, pricelist):
        partner = profile.partner_id
        if partner.specific_property_product_pricelist != pricelist:
            partner.specific_property_product_pricelist = pricelist
        if profile.vip_pricelist_id != pricelist:
            profile.vip_pricelist_id = pricelist

    @api.model
    def _apply_salesperson(self, profile):
        """Set the tier's salesperson where there is none, and take back only that."""
        partner, wanted = profile.partner_id, profile.vip_tier_id._in_charge()
        ours = profile.vip_user_id
        if partner.user_id and partner.user_id != ours:
            wanted = ours = self.env["res.users"]
        elif partner.user_id != wanted:
            partner.user_id = wanted
            if not wanted:
                self._offer_to_other_companies(profile)
        profile.vip_user_id = wanted

    @api.model
    def _offer_to_other_companies(self, profile):
        """A contact has one salesperson for all companies: the next one's turn has come."""
        others = profile.search(
            [
                ("partner_id", "=", profile.partner_id.id),
                ("company_id", "!=", profile.company_id.id),
                ("vip_tier_id.user_id", "!=", False),
            ]
        )
        others.vip_benefits_due = True

    @api.model
    def _enrol(self, profile):
        """Make sure that the customer has a card of the tier's loyalty programme."""
        program = profile.vip_tier_id.loyalty_program_id
        if not program:
            return
        # an archived card counts: somebody took it away
        cards = self.env["loyalty.card"].sudo().with_context(active_test=False)
        if not cards.search_count(
            [
                ("program_id", "=", program.id),
                ("partner_id.commercial_partner_id", "=", profile.partner_id.id),
            ],
            limit=1,
        ):
            cards.create({"program_id": program.id, "partner_id": profile.partner_id.id})

    # ----- ANNOUNCEMENT OF A DROP -----

    @api.model
    def _try_announce(self, profile):
        """Announce, at no cost to the benefits given before; return what failed, or None."""
        error = attempt(self.env, self._announce, profile)
        if not error:
            return None
        _logger.warning("Announcement for profile %s failed: %s", profile.id, error)
        return str(error)

    @api.model
    def _announce(self, profile):
        """Tell the salesperson once that a customer is about to lose his tier, and why."""
        profile.vip_activity_id.unlink()
        user = profile.partner_id._lifecycle_colleague(
            profile.company_id, profile.vip_tier_id.user_id, profile.vip_tier_id.team_id.user_id
        )
        if not profile.vip_review_date or not user:
            return
        tier = profile.vip_tier_id
        profile = profile.with_user(user).sudo().with_context(lang=user.lang)
        profile.vip_activity_id = profile.partner_id.activity_schedule(
            "mail.mail_activity_data_todo",
            date_deadline=min(
                profile.vip_review_date,
                fields.Date.add(profile.company_id._lifecycle_today(), days=7),
            ),
            summary=profile.env._("About to lose %s", tier.name),
            # every colleague who may open the contact reads this: no figures
            note=profile.env._(
                "The tier ends on %(date)s. Why, and what would keep it, is told on the contact "
                "beside the tier.",
                date=profile._date(profile.vip_review_date),
            ),
            user_id=user.id,
        )

    # ----- EVERYTHING ANEW, AND BACK -----

    @api.model
    def _request(self, tiers):
        """Have the benefits of all members given anew, as after a change of the benefits."""
        profiles = self.env["lifecycle.profile"].sudo()
        profiles.flush_model()
        # also those who left a tier when nothing was taken back
        self.env.cr.execute(
            SQL(
                """UPDATE lifecycle_profile SET vip_benefits_due = TRUE
                    WHERE vip_tier_id = ANY(%s)
                       OR (company_id = ANY(%s) AND vip_tier_id IS NULL
                           AND (vip_pricelist_id IS NOT NULL OR vip_user_id IS NOT NULL))""",
                tiers.ids,
                tiers.company_id.ids,
            )
        )
        profiles.invalidate_model()
        self._wake()

    @api.model
    def _take_back(self):
        """Empty every pricelist and salesperson that is still ours; for uninstalling."""
        given = Domain("vip_pricelist_id", "!=", False) | Domain("vip_user_id", "!=", False)
        profiles = self.env["lifecycle.profile"].sudo().with_context(active_test=False, **QUIET)
        for profile in profiles.search(given):
            profile = profile.with_company(profile.company_id)
            partner = profile.partner_id
            if partner == partner.commercial_partner_id and (
                partner.specific_property_product_pricelist == profile.vip_pricelist_id
            ):
                partner.specific_property_product_pricelist = False
            if profile.vip_user_id and partner.user_id == profile.vip_user_id:
                partner.user_id = False
        profiles.search(Domain("vip_activity_id", "!=", False)).vip_activity_id.unlink()
