"""What people and workflows have done for the customers of the overview, and whether all is well.

In: outcomes of suggested contacts, tiers and their history, enrolments and deliveries, runs. Out:
a line for each salesperson, who rises and who is about to drop, a line for each workflow, and what
does not work. Called by the overview, last.
"""

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import SQL

from ..journey.journey_map import NOT_NEWS

MANAGER = "sales_team.group_sale_manager"
#: outcomes of a suggestion that were a contact
CONTACTS = ("reached", "missed", "quote")
#: lines of a list
LINES = 5
#: kinds of rules that may have proposals
RULES = ("lifecycle.stage", "lifecycle.vip.tier", "lifecycle.segment")


class LifecycleOverview(models.AbstractModel):
    # a file for each subject of this model
    _inherit = "lifecycle.overview"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    @api.readonly
    def get_work(self, domain, period):
        """What was done for these customers, by whom, and whether everything works.

        :param domain, period: as for ``get_overview``
        :return: dict of ``team`` (list of dicts by salesperson), ``vip`` (dict), ``workflows``
            (list of dicts) and ``health`` (dict; False for others than managers)
        :raise UserError: the period is none
        """
        spans = self._spans(period)
        filtered = bool(domain)
        domain = self._domain(domain)
        # first, so that others than salespeople are refused at once
        self.env["lifecycle.profile"].check_access("read")
        return {
            "team": self._team(domain, filtered, spans["now"]),
            "vip": self._vip(domain, spans["now"]),
            "workflows": self._workflows(domain, filtered, spans["now"]),
            "health": self.env.user.has_group(MANAGER) and self._health(),
        }

    # ----- TEAM -----

    @api.model
    def _team(self, domain, filtered, span):
        """By salesperson: suggestions that wait, contacts, orders since, and money at stake then.

        What waits counts for the customer's salesperson, what was done for whoever did it.
        """
        lines = {}

        def line(user):
            return lines.setdefault(
                user.id,
                {
                    "user_id": user.id,
                    "name": user.name or self.env._("No salesperson"),
                    "open": 0,
                    "contacted": 0,
                    "ordered": 0,
                    "recovered": 0,
                },
            )

        profiles = self.env["lifecycle.profile"]
        for user, count in profiles._read_group(
            domain & Domain("to_contact", "=", True), ["user_id"], ["__count"]
        ):
            line(user)["open"] = count
        done = (
            Domain("company_id", "=", self.env.company.id)
            & Domain("date", ">=", span.start)
            & Domain("date", "<=", span.end)
            & Domain("kind", "in", CONTACTS)
        )
        if filtered:
            done &= Domain("profile_id", "any", domain)
        outcomes = self.env["lifecycle.contact.outcome"]
        for user, count in outcomes._read_group(done, ["user_id"], ["profile_id:count_distinct"]):
            line(user)["contacted"] = count
        # once for each customer, however often he was called
        latest = {}
        for outcome in outcomes.search(done & Domain("ordered_since", "=", True), order="id"):
            latest[outcome.user_id, outcome.profile_id] = outcome.money_at_risk
        for (user, _profile), money in latest.items():
            line(user)["ordered"] += 1
            line(user)["recovered"] += money
        return sorted(
            lines.values(), key=lambda one: (-one["contacted"], -one["open"], one["name"])
        )

    # ----- VIP -----

    @api.model
    def _vip(self, domain, span):
        """Who has risen and fallen in the period, and who is about to drop.

        :return: dict ``has_tiers``, ``risen`` and ``fallen`` (customers), ``dropping`` (how many)
            and ``next`` (list of the first of these)
        """
        profiles = self.env["lifecycle.profile"]
        tiers = self.env["lifecycle.vip.tier"].search_count(
            [("proposal_of_id", "=", False)], limit=1
        )
        if not tiers:
            return {"has_tiers": False, "risen": 0, "fallen": 0, "dropping": 0, "next": []}
        moved = {
            kind: profiles.search_count(
                domain & Domain("id", "in", SQL("(%s)", self._tier_movers_sql(kind, span)))
            )
            for kind in ("risen", "fallen")
        }
        dropping = domain & self._dropping_domain(span.end)
        return {
            "has_tiers": True,
            **moved,
            "dropping": profiles.search_count(dropping),
            "next": [
                {
                    "id": profile.id,
                    "partner_id": profile.partner_id.id,
                    "name": profile.partner_id.display_name,
                    "tier": profile.vip_tier_id.name,
                    "date": fields.Date.to_string(profile.vip_review_date),
                    "missing": self._missing_to_keep(profile),
                }
                for profile in profiles.search(
                    dropping, order="vip_review_date, revenue_year desc, id", limit=LINES
                )
            ],
        }

    @api.model
    def _dropping_domain(self, today):
        return Domain("vip_tier_id", "!=", False) & Domain("vip_review_date", ">=", today)

    @api.model
    def _missing_to_keep(self, profile):
        """What a customer has to buy to keep his tier, as people read it; False where unknown."""
        # the figures that decide are the head office's, which a branch need not see
        if profile.company_id._lifecycle_tier_company() != profile.company_id:
            return False
        # sudo: thresholds are no secret of those who may see the customer
        tier = profile.vip_tier_id.sudo()
        return tier._shown(profile._vip_missing(tier, tier.keep))

    @api.model
    def _tier_movers_sql(self, kind, span):
        """SELECT profile_id of those whose last change of tier in a period led up, or down."""
        return SQL(
            """SELECT profile_id
                 FROM (SELECT move.profile_id,
                              (ARRAY_AGG(COALESCE(former.rank, -1) ORDER BY move.number))[1]
                                  AS rank_before,
                              (ARRAY_AGG(COALESCE(later.rank, -1) ORDER BY move.number DESC))[1]
                                  AS rank_after
                         FROM lifecycle_transition move
                         LEFT JOIN lifecycle_vip_tier former ON former.id = move.from_tier_id
                         LEFT JOIN lifecycle_vip_tier later ON later.id = move.to_tier_id
                        WHERE move.kind = 'tier' AND move.date BETWEEN %s AND %s
                          AND move.cause NOT IN %s
                        GROUP BY move.profile_id) moved
                WHERE %s""",
            *span,
            NOT_NEWS,
            SQL("rank_after > rank_before") if kind == "risen"
            else SQL("rank_after < rank_before"),
        )

    # ----- WORKFLOWS -----

    @api.model
    def _workflows(self, domain, filtered, span):
        """By workflow: who entered in the period, what was sent, what not and mostly why."""
        company = Domain("company_id", "=", self.env.company.id)
        if filtered:
            company &= Domain("profile_id", "any", domain)
        lines = {}

        def line(workflow):
            return lines.setdefault(
                workflow, {"entered": 0, "sent": 0, "unsent": 0, "reasons": {}}
            )

        for workflow, count in self.env["lifecycle.workflow.enrollment"]._read_group(
            company & Domain("day_entered", ">=", span.start)
            & Domain("day_entered", "<=", span.end),
            ["workflow_id"],
            ["__count"],
        ):
            line(workflow)["entered"] = count
        for workflow, state, reason, count in self.env["lifecycle.workflow.delivery"]._read_group(
            company & Domain("date", ">=", span.start) & Domain("kind", "=", "email")
            & Domain("state", "in", ("done", "skipped", "failed"))
            & Domain("workflow_id", "!=", False),
            ["workflow_id", "state", "reason"],
            ["__count"],
        ):
            found = line(workflow)
            if state == "done":
                found["sent"] += count
            else:
                found["unsent"] += count
                found["reasons"][reason] = found["reasons"].get(reason, 0) + count
        words = dict(
            self.env["lifecycle.workflow.delivery"]._fields["reason"]._description_selection(
                self.env
            )
        )
        words[False] = self.env._("The mail server refused it")
        is_manager = self.env.user.has_group(MANAGER)
        shown = []
        for workflow, found in lines.items():
            reasons = found.pop("reasons")
            # what all customers of a workflow have bought is not for every salesperson
            verdict = is_manager and workflow.effect and workflow._uplift_verdict()
            shown.append(
                {
                    "id": workflow.id,
                    "name": workflow.display_name,
                    **found,
                    "reason": words.get(max(reasons, key=reasons.get)) if reasons else False,
                    "tone": verdict[0] if verdict else False,
                    "verdict": verdict[1] if verdict else False,
                }
            )
        shown.sort(key=lambda one: (-one["entered"], -one["sent"], one["name"]))
        return shown

    # ----- HEALTH -----

    @api.model
    def _health(self):
        """What a manager has to put right, and what waits for a decision of his."""
        # sudo: a health check looks at everything; managers are told what it finds anyway
        problems = [text for _key, text in self.sudo().env["lifecycle.health"]._problems()]
        run = self.env["lifecycle.run"].search(
            [("company_id", "=", self.env.company.id), ("kind", "!=", "refresh"),
             ("state", "in", ("done", "failed", "running"))],
            order="id desc",
            limit=1,
        )
        if run.state == "failed" and run.message:
            problems.insert(0, self.env._("The last computation failed: %s", run.message))
        return {
            "problems": problems,
            "running": run.state == "running",
            "proposals": [
                {"model": name, "count": count, "label": self.env[name]._description}
                for name in RULES
                if (
                    count := self.env[name].with_context(active_test=False).search_count(
                        [("proposal_of_id", "!=", False)]
                    )
                )
            ],
        }
