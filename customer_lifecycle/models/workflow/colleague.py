"""Which colleague does what is to be done for a customer, also when a salesperson has left.

In come salespeople and a company, out goes a user who is still there. Called by whatever makes
activities, hands out customers or names a sender: workflows, VIP tiers, reminders of points.
"""

from contextlib import contextmanager

from odoo import fields, models
from odoo.fields import Domain


class ResUsers(models.Model):
    """Who is still there, and who stands in for a salesperson who is not."""

    # standing in is a subject of its own
    _inherit = "res.users"  # pylint: disable=consider-merging-classes-inherited

    def _lifecycle_works_in(self, company):
        """Those of these users who can do something for a customer of a company.

        Archived people cannot, nor can the system's own user, portal users and colleagues of
        other companies.
        """
        robot = self.env.ref("base.user_root")
        # sudo: who is still there decides who gets the work, whoever asks
        return self.sudo().filtered(
            lambda user: user.active
            and not user.share
            and user != robot
            and company in user.company_ids
        )

    def _lifecycle_robot(self):
        """The system's own user where it is one of these: it has not left, but reads nothing."""
        return self & self.env.ref("base.user_root")

    def _lifecycle_present(self):
        """Those who have not left; the system's own user is archived from the beginning."""
        return self.filtered("active") | self._lifecycle_robot()

    def _lifecycle_leaders(self, company):
        """Leaders of these people's sales teams who are still there, the present team's first.

        Archiving somebody archives his memberships: they still say whose team he was in.
        """
        members = self.env["crm.team.member"].sudo().with_context(active_test=False).search(
            [
                ("user_id", "in", self.ids),
                ("crm_team_id.active", "=", True),
                ("crm_team_id.company_id", "in", [False, company.id]),
            ],
            order="active desc, write_date desc, id desc",
        )
        return (members.crm_team_id.user_id - self)._lifecycle_works_in(company)

    def _lifecycle_in_charge(self, company):
        """Who of these people does it, the first comes first: himself, else his team's leader."""
        for user in self:
            if there := user._lifecycle_works_in(company) or user._lifecycle_leaders(company)[:1]:
                return there
        return self.browse()


    def _lifecycle_cares_for(self):
        """This user, and those who have left the teams that he leads."""
        self.ensure_one()
        # sudo: whose customers a leader has to see to is his to know
        members = self.env["crm.team.member"].sudo().with_context(active_test=False).search(
            [
                ("crm_team_id.user_id", "=", self.id),
                ("crm_team_id.active", "=", True),
                ("user_id.active", "=", False),
            ]
        )
        return self | members.user_id.with_env(self.env)


class LifecycleProfile(models.Model):
    # standing in is a subject of its own
    _inherit = "lifecycle.profile"  # pylint: disable=consider-merging-classes-inherited

    in_my_care = fields.Boolean(
        compute="_compute_in_my_care",
        search="_search_in_my_care",
        help="You are the salesperson, or lead the team of the salesperson who has left.",
    )

    def _compute_in_my_care(self):
        mine = self.env.user._lifecycle_cares_for()
        for profile in self:
            profile.in_my_care = profile.partner_id.user_id in mine

    def _search_in_my_care(self, operator, value):
        if operator != "in" or set(value) != {True}:
            return NotImplemented
        return Domain("partner_id.user_id", "in", self.env.user._lifecycle_cares_for().ids)


class ResPartner(models.Model):
    # standing in is a subject of its own
    _inherit = "res.partner"  # pylint: disable=consider-merging-classes-inherited

    @contextmanager
    def _lifecycle_shown_in_charge(self, company):
        """Let whoever stands in for salespeople who have left be read in their place.

        For templates, the company's own too, which sign with the customer's salesperson: what he
        reads as the answer's address must reach somebody. Nothing of it is written.
        """
        # sudo: who looks after a customer is told in the message itself
        left = self.sudo().filtered(
            lambda partner: partner.user_id
            and partner.user_id._lifecycle_in_charge(company) != partner.user_id
        )
        field = self._fields["user_id"]
        left.flush_recordset(["user_id"])
        for partner in left:
            standing_in = partner.user_id._lifecycle_in_charge(company)
            field._update_cache(partner, standing_in.id or None)
        try:
            yield
        finally:
            left.invalidate_recordset(["user_id"], flush=False)

    def _lifecycle_colleague(self, company, *others):
        """Who looks after this customer: his salesperson, the leader of his team, else others.

        :param others: users to ask where there is nobody, the first first
        :return: a user who can read the customer, or nobody
        """
        self.ensure_one()
        nobody = self.env["res.users"]
        for user in (self.sudo().user_id, *others):
            found = user._lifecycle_in_charge(company) if user else nobody
            if found and self.with_user(found).sudo(False).with_context(
                allowed_company_ids=company.ids
            ).has_access("read"):
                return found.with_env(self.env)
        # where there is really nobody else, it can at least be read on the customer
        return nobody.union(self.sudo().user_id, *others)._lifecycle_robot()
