"""The stages of customers, by the rules' own order.

In: profiles with fresh figures, and the rules in force. Out: new stages, with each move recorded.
Called by the nightly run and the refresh of a few customers, when a
hold on a stage ends, and by previews of changed rules, which are told the moves and write none.
"""

from odoo import api, models
from odoo.fields import Domain
from odoo.tools import SQL

from ...tools import rights
from ...tools.context import own_value


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
                errors += self._record_moves("stage", cause)
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
                moves = cr.fetchall()
                self._apply_moves(today)
                for profile_id, from_id, to_id in moves:
                    ends[profile_id] = (ends.get(profile_id, (from_id,))[0], to_id)
                if not moves:
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
        profiles = (
            self.env["lifecycle.profile"]
            .sudo()
            .with_company(company)
            .with_context(active_test=False, lifecycle_today=today)
        )
        domain = Domain("company_id", "=", company.id) & Domain("active", "=", True)
        if partner_ids is not None:
            domain &= Domain("partner_id", "in", list(partner_ids))
        query = profiles._search(domain)
        target, names = self._target_sql(profiles, query, today)
        query.add_where(
            SQL("%s IS DISTINCT FROM %s", target, SQL.identifier(query.table, "stage_id"))
        )
        values = SQL(", ").join(
            SQL("%s::text, %s", name, value)
            for name in sorted(names)
            if (value := self._value_sql(profiles, name, query))
        )
        table = query.table
        self.env.cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_moves")
        self.env.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_moves AS %s",
                query.select(
                    SQL.identifier(table, "id"),
                    SQL("%s AS from_id", SQL.identifier(table, "stage_id")),
                    SQL("%s AS to_id", target),
                    SQL("%s AS since", SQL.identifier(table, "stage_date")),
                    SQL("%s AS last_order_date", SQL.identifier(table, "last_order_date")),
                    SQL("jsonb_build_object(%s) AS why", values),
                ),
            )
        )

    @api.model
    def _target_sql(self, profiles, query, today):
        """CASE expression of the stage each profile belongs to, and the fields rules use.

        A stage by hand holds until its date; a minimum stay holds; then the first stage wins
        whose rule matches and that may be entered from where the customer is.
        """
        table = query.table
        current = SQL.identifier(table, "stage_id")
        days = SQL("(%s::date - %s)", today, SQL.identifier(table, "stage_date"))
        branches, names = [], {"order_count"}
        stages = self.env["lifecycle.stage"]._in_priority()
        for stage in stages:
            rules = [stage._rule(), stage._rule(keep=True)]
            for rule in rules:
                names.update(condition.field_expr for condition in rule.iter_conditions())
            enter, keep = (
                self._rule_sql(
                    profiles,
                    self._dated(
                        rights.within_company(rule, profiles, profiles.env.company)
                    ),
                    table,
                    query,
                    today,
                )
                for rule in rules
            )
            if stage.enter_from_ids:
                enter = SQL("%s AND %s = ANY(%s)", enter, current, stage.enter_from_ids.ids)
            if stage.after_order:
                enter = SQL("%s AND COALESCE(%s, FALSE)", enter, self._has_ordered_sql(table))
            if stage.max_days:
                keep = SQL("%s AND %s < %s", keep, days, stage.max_days)
            branches.append(
                SQL(
                    "WHEN CASE WHEN %s IS NOT DISTINCT FROM %s THEN %s ELSE %s END THEN %s",
                    current,
                    stage.id,
                    keep,
                    enter,
                    stage.id,
                )
            )
        stays = [
            SQL("%s >= %s", SQL.identifier(table, "stage_hold_until"), today),
            *(
                SQL("%s = %s AND %s < %s", current, stage.id, days, stage.min_days)
                for stage in stages
                if stage.min_days
            ),
            # a rule that was switched off says nothing about its members: they stay
            SQL("%s = ANY(%s)", current, self.env["lifecycle.stage"]._switched_off().ids),
        ]
        held = SQL("%s IS NOT NULL AND (%s)", current, SQL(" OR ").join(stays))
        target = SQL(
            "CASE WHEN %s THEN %s %s ELSE %s END",
            held,
            current,
            SQL(" ").join(branches),
            stages[-1:].id or None,
        )
        return target, names

    @api.model
    def _has_ordered_sql(self, table):
        """Whether a profile has an order since its stage began.

        An order of that very day counts where it was not known yet: who was at risk in the
        morning and orders at noon has come back.
        """
        last, known, since = (
            SQL.identifier(table, name)
            for name in ("last_order_date", "stage_order_date", "stage_date")
        )
        return SQL("%s >= %s AND %s > COALESCE(%s, '-infinity')", last, since, last, known)

    @api.model
    def _value_sql(self, profiles, name, query):
        """A profile's value as SQL; None for what has no single one there."""
        field = profiles._fields.get(name)
        if field is None or name in ("id", "active") or field.type in ("one2many", "many2many"):
            return None
        try:
            return profiles._field_to_sql(query.table, name, query)
        except ValueError:
            # computed in Python only, though it can be searched
            return None

    @api.model
    def _rule_sql(self, profiles, rule, table, query, today):
        rule = rule.optimize_full(profiles)
        if rule.is_true():
            return SQL("TRUE")
        return SQL("COALESCE((%s), FALSE)", rule._to_sql(profiles, table, query))

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
