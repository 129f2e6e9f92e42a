"""The stages of customers, by the rules' own order.

In: profiles with fresh figures, and the rules in force. Out: new stages, with each move recorded.
Called by the nightly run and the refresh of a few customers, when a
hold on a stage ends, and by previews of changed rules, which are told the moves and write none.
"""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools.context import own_value
from . import late, moves, past
from .profiles_as_of import ProfilesAsOf


class LifecycleClassifier(models.AbstractModel):
    """Puts every profile of a company into the stage whose rule matches first, in SQL."""

    _name = "lifecycle.classifier"
    _description = "Life-Cycle Stage Classification"

    @api.model
    def _classify_all(self, company, today, cause="rule", partner_ids=None):
        """Stages first: what comes later may look at what was decided before.

        :return: (number of changes, list of errors of automation rules)
        """
        changed, errors = 0, []
        for classify in (
            self._classify,
            self._classify_tiers,
            self._classify_rfm,
            self._classify_segments,
        ):
            count, failed = classify(company, today, cause=cause, partner_ids=partner_ids)
            changed += count
            errors += failed
        return changed, errors

    @api.model
    def _classify(self, company, today, cause="rule", partner_ids=None):
        """Evaluate all stage rules and record what changed.

        :param today: day that the rules are evaluated for
        :param cause: ``rule`` creates transitions through the ORM, so that automation rules
            see them; any other cause is history and is written without a sound
        :param partner_ids: restrict to these commercial partners
        :return: (number of changed profiles, list of errors of automation rules)
        """
        self.env.flush_all()
        # what is no news is moved to the end at once: a day later the rest would be news
        announced = own_value(self.env, "lifecycle_announce")
        whole = announced or cause in ("edit", "reconstructed")
        rounds = len(self.env["lifecycle.stage"]._in_priority()) if whole else 1
        count, errors = 0, []
        for _round in range(rounds):
            self._find_moves(company, today, partner_ids)
            self.env.cr.execute("SELECT id FROM lifecycle_moves")
            moved = [row[0] for row in self.env.cr.fetchall()]
            if moved:
                self._apply_moves(today)
                errors += moves.record(self.env, "stage", cause)
            self.env.cr.execute("DROP TABLE pg_temp.lifecycle_moves")
            count += len(moved)
            if not moved:
                break
        self.env["lifecycle.profile"].invalidate_model()
        return count, errors

    @api.model
    def _find_settled_moves(self, company, today):
        """Temporary table ``lifecycle_moves`` of where the rules move everybody in the end.

        Who has been moved may be moved on by the stage he came to: it is gone on until nobody
        moves, as when a changed rule is applied, and taken back.
        """
        cr = self.env.cr
        ends = {}
        cr.execute("SAVEPOINT lifecycle_settle")
        try:
            for _round in range(len(self.env["lifecycle.stage"]._in_priority())):
                self._find_moves(company, today)
                cr.execute("SELECT id, from_id, to_id FROM lifecycle_moves")
                found = cr.fetchall()
                self._apply_moves(today)
                for profile_id, from_id, to_id in found:
                    ends[profile_id] = (ends.get(profile_id, (from_id,))[0], to_id)
                if not found:
                    break
        finally:
            cr.execute("ROLLBACK TO SAVEPOINT lifecycle_settle")
            cr.execute("RELEASE SAVEPOINT lifecycle_settle")
        self.env["lifecycle.profile"].invalidate_model()
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_moves")
        moved = [(key, *end) for key, end in ends.items() if end[0] != end[1]]
        cr.execute(
            SQL(
                """CREATE TEMPORARY TABLE lifecycle_moves AS
                   SELECT * FROM unnest(%s::integer[], %s::integer[], %s::integer[])
                       moves (id, from_id, to_id)""",
                *([move[column] for move in moved] for column in range(3)),
            )
        )

    @api.model
    def _is_started(self, company):
        """Whether the company's customers have been classified before."""
        self.env.cr.execute(
            SQL(
                """SELECT EXISTS (SELECT FROM lifecycle_profile
                                   WHERE company_id = %s AND stage_id IS NOT NULL)""",
                company.id,
            )
        )
        return self.env.cr.fetchone()[0]

    @api.model
    def _is_stale(self, company, announced=None):
        """Whether rules have changed that the company's customers are not classified by yet.

        :param announced: look only at changes that are news, or only at those that are not
        """
        news = [] if announced is None else [("announce", "=", announced)]
        return bool(
            self.env["lifecycle.run"].search_count(
                [
                    ("company_id", "=", company.id),
                    ("kind", "=", "rules"),
                    ("state", "in", ("pending", "running")),
                    *news,
                ],
                limit=1,
            )
        )

    @api.model
    def _find_moves(self, company, today, partner_ids=None):
        """Temporary table ``lifecycle_moves`` of the profiles whose stage is to change."""
        domain = Domain("company_id", "=", company.id) & Domain("active", "=", True)
        if partner_ids is not None:
            domain &= Domain("partner_id", "in", list(partner_ids))
        profiles = ProfilesAsOf(self.env, company, today, domain)
        rules = self.env["lifecycle.stage"]._rules()
        target = rules.target_sql(profiles)
        profiles.query.add_where(
            SQL("%s IS DISTINCT FROM %s", target, profiles.column("stage_id"))
        )
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_moves")
        self.env.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_moves AS %s",
                profiles.query.select(
                    profiles.column("id"),
                    SQL("%s AS from_id", profiles.column("stage_id")),
                    SQL("%s AS to_id", target),
                    SQL("%s AS since", profiles.column("stage_date")),
                    profiles.column("last_order_date"),
                    SQL("%s AS why", profiles.values({"order_count", *rules.names})),
                ),
            )
        )

    # ----- WRITING -----

    @api.model
    def _apply_moves(self, today):
        """Write the new stages to the profiles, and the date of each move."""
        self.env.cr.execute("ALTER TABLE lifecycle_moves ADD date date")
        self.env.cr.execute(SQL("UPDATE lifecycle_moves SET date = %s", today))
        self.env.cr.execute(
            """UPDATE lifecycle_profile profile
                  SET stage_id = moves.to_id, stage_date = moves.date,
                      stage_order_date = profile.last_order_date,
                      stage_manual = FALSE, stage_hold_until = NULL, stage_reason = NULL
                 FROM lifecycle_moves moves WHERE moves.id = profile.id"""
        )

    # ----- THE PAST -----

    @api.model
    def _reconstruct(self, company, today, partner_ids=None):
        """Replay the stages of the past; see :func:`past.reconstruct`."""
        return past.reconstruct(self.env, company, today, partner_ids)

    @api.model
    def _classify_late(self, company, today, partner_ids=None):
        """Move customers by purchases that came in late; see :func:`late.classify`."""
        return late.classify(self.env, company, today, partner_ids)

    @api.model
    def _forget_late(self, company):
        """Take the marks of such customers away."""
        late.forget(self.env, company)
