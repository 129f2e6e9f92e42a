"""What a run does, in order: purchases, fit of the model, forecasts, stages.

In: a run with its day and position. Out: profiles written by the pipeline, the forecast, signals,
preferences and the classifier, and the message of the finished run. Called step by step by the
run, which commits in between.
"""

from odoo import fields, models
from odoo.tools import SQL

from ...tools.batches import wake
from ...tools.context import own
from ..profile.preferences import BATCH as PREFERENCE_BATCH
from .run import COMPLETE, NIGHTLY, STAGES_ONLY, _logger

#: commercial partner ids that are summed up in one pass
ID_RANGE = 2_000_000
#: the largest id there can be
LAST_ID = 2**31 - 1


class LifecycleRun(models.Model):
    """The steps of a run; each is committed together with the position it has reached."""

    # a file for each subject of this large model
    _inherit = "lifecycle.run"  # pylint: disable=consider-merging-classes-inherited

    def _step_facts(self, company):
        pipeline = self.env["lifecycle.pipeline"]
        predictions = self.env["lifecycle.prediction"]
        cr = self.env.cr
        commit = self.env["ir.cron"]._commit_progress
        if not self.position:
            self.env["lifecycle.revenue.source"]._look_again(company)
        cr.execute("SELECT COALESCE(MAX(id), 0) FROM res_partner")
        newest = cr.fetchone()[0]
        first, last = self.position + 1, self.position + ID_RANGE
        # the queue rows that this snapshot already contains
        cr.execute("DROP TABLE IF EXISTS pg_temp.lifecycle_seen")
        cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_seen AS SELECT id FROM lifecycle_queue "
                "WHERE company_id = %s AND partner_id BETWEEN %s AND %s",
                company.id,
                first,
                last,
            )
        )
        # a fit needs the purchases too: where one pass reads them all, it reads them for both
        whole = first == 1 and last >= newest
        parts = None
        if whole and self._needs_fit(company):
            parts = predictions._sample_parts(company)
        count = pipeline._collect_facts(
            company, self.as_of, id_range=(first, last), parts=parts
        )
        self._add_up_shares(company, first == 1)
        if parts:
            self._fit_early(company, parts)
        customers = count + (self.customer_count if self.position else 0)
        after, changed, foreseen = self.position, self.changed_count, 0
        while after is not None:
            until = pipeline._next_position(after)
            foreseen += predictions._foresee(company, self.as_of, after, until or last)
            changed += pipeline._store_facts(company, after, until or last)
            changed += pipeline._archive_without_facts(company, after, until or last)
            pipeline._mark_late(company, after, until or last)
            after = until
            self.write({"changed_count": changed, "customer_count": customers})
            if after:
                self.progress = min(50, 50 * after / max(newest, 1))
                commit()
        cr.execute("DELETE FROM lifecycle_queue WHERE id IN (SELECT id FROM lifecycle_seen)")
        cr.execute("DROP TABLE pg_temp.lifecycle_seen")
        everybody = whole and foreseen == pipeline._buyer_count()
        pipeline._forget_facts()
        if last < newest:
            self._advance("facts", last)
        else:
            # where all buyers are new and written with their predictions, none is left to do
            self._advance("fit", LAST_ID if everybody else 0)

    def _add_up_shares(self, company, begins):
        """Add up how much of the revenue the company's share stands in for."""
        revenue = by_share = 0.0
        if company.lifecycle_value == "margin":
            ((revenue, by_share),) = self.env.execute_query(
                SQL(
                    "SELECT COALESCE(SUM(revenue), 0), COALESCE(SUM(by_share), 0) "
                    "FROM lifecycle_facts"
                )
            )
        before = (0.0, 0.0) if begins else (self.revenue, self.by_share)
        self.revenue, self.by_share = before[0] + float(revenue), before[1] + float(by_share)

    def _needs_fit(self, company):
        return self.refit or self.env["lifecycle.clv.model"]._is_due(company, self.as_of)

    def _fit_early(self, company, parts):
        """Fit before new profiles are written, so that they are written with predictions.

        Whatever goes wrong here costs speed only: the step of its own fits again, and says what
        failed when the facts are safe.
        """
        commit = self.env["ir.cron"]._commit_progress
        # a failure must not take the collected facts along
        commit()
        predictions = self.env["lifecycle.prediction"]
        try:
            data = predictions._collected(company, parts)
            if data is not None:
                predictions._fit(company, self.as_of, data)
                self.refit = False
                commit()
        except Exception as error:
            self.env.cr.rollback()
            _logger.info("Run %s: the model is fitted later: %s", self.id, error)

    def _step_fit(self, company):
        position = self.position
        if self._needs_fit(company):
            self.env["lifecycle.prediction"]._fit(company, self.as_of)
            position = 0
        self._advance("predict", position)

    def _step_predict(self, company):
        last, changed = self.env["lifecycle.prediction"]._predict(
            company, self.as_of, self.position
        )
        self.changed_count += changed
        if last:
            self.position = last
            self.progress = min(90, self.progress + 30 / max(1, self.customer_count / 1e5))
            return
        if self.env["lifecycle.classifier"]._is_started(company):
            self._advance("stages")
            return
        # figures first: replaying the stages of many years takes longer than computing them
        self._finish()
        self.create({"company_id": company.id, "kind": "history", "step": "stages"})
        wake(self.env, NIGHTLY)

    def _step_stages(self, company):
        classifier = self.env["lifecycle.classifier"]
        warnings = [
            warning
            for kind in ("lifecycle.stage", "lifecycle.vip.tier", "lifecycle.segment")
            for warning in self.env[kind]._switch_off_broken()
        ]
        classifier._update_rhythms(company)
        unread = self._look_at_customers(company)
        self.changed_count += self.env["lifecycle.loyalty.cost"]._update_profiles(company)
        warnings += unread + company._lifecycle_timezone_warning()
        started = classifier._is_started(company)
        if not started:
            classifier._reconstruct(company, self.as_of)
        cause = "rule"
        if not started:
            cause = "initial"
        elif not self.announce and (
            self.kind in ("rules", "settings") or classifier._is_stale(company, announced=False)
        ):
            # what a changed rule or setting moves is no news of the customers
            cause = "edit"
        if cause == "rule":
            self.changed_count += classifier._classify_late(company, self.as_of)
        else:
            # all that moves is history now
            classifier._forget_late(company)
        changed, errors = classifier.with_context(
            lifecycle_announce=own(self.announce)
        )._classify_all(company, self.as_of, cause=cause)
        statistics = self.env["lifecycle.stage.statistic"]
        if statistics._is_due(company, self.as_of):
            statistics._update(company, self.as_of)
        self.changed_count += changed
        self._finish(errors, warnings)

    def _look_at_customers(self, company):
        """Read preferences, touches and signals of the customers with news.

        :return: warnings
        """
        signals = self.env["lifecycle.signal"]
        touches = self.env["lifecycle.touch"]
        preferences = self.env["lifecycle.preference"]
        few, signals_seen = signals._find_news(
            company, self._last_seen("signal_seen"), complete=self.kind in COMPLETE
        )
        # signals first: whose orders have changed is no longer known after the preferences
        changed, unread = signals._update(company, news=few)
        self.changed_count += changed
        touch_seen = touches._find_touched(company, self._last_seen("touch_seen"))
        while preferences._update(company) >= PREFERENCE_BATCH:
            self.env["ir.cron"]._commit_progress()
        # what was looked at counts as seen when all of it is written
        self.touch_seen, self.signal_seen = touch_seen, signals_seen
        return unread

    def _last_seen(self, name):
        """What the last run that came to its end has seen."""
        return self.search(
            [("company_id", "=", self.company_id.id), (name, "!=", False)], limit=1
        )[name]

    def _finish(self, errors=(), warnings=()):
        """End the run well.

        :param errors: what automation rules on changes of stage raised, with the profile's id
        :param warnings: sentences about rules that were switched off
        """
        model = self.env["lifecycle.clv.model"]._current(self.company_id)
        # names of customers: for managers, who alone read runs
        explanation = "\n".join(filter(None, [model._explain(), model.outlier_text]))
        values = {}
        if self.kind not in STAGES_ONLY:
            aside = self.env["lifecycle.set.aside"]
            values["set_aside_count"] = count = aside._count(self.company_id)
            warnings = [*warnings, *filter(None, [aside._warning(count)])]
        message = "\n".join([explanation, *warnings])
        if errors:
            message += "\n" + self.env._(
                "Automation rules failed on %(count)s changes of stage, first on customer "
                "%(profile)s: %(error)s. The changes themselves are recorded.",
                count=len(errors),
                profile=errors[0][0],
                error=errors[0][1],
            )
        self.write(
            {
                "state": "done",
                "progress": 100,
                "date_end": fields.Datetime.now(),
                "message": message,
                **values,
            }
        )
