"""What is done with customers, in order: at night for all, after a change for a few.

| step    | what                                                          | where              |
|---------|---------------------------------------------------------------|--------------------|
| keep    | purchases of who has changed, or of all                       | runs/purchases     |
| collect | their sums, prospects, open documents; who differs            | runs/collect       |
| fit     | a new model, where one is due                                 | prediction/fit     |
| predict | what is to be expected of each                                | prediction/forecast|
| store   | figures and forecasts that differ                             | runs/store         |
| look    | what else than purchases tells of them                        | runs/look, readers |
| label   | stage, tier, RFM group, segments, each change once            | rules/classifier   |
| record  | statistics of stages and of first products; what was found    | here               |

In: a run with its day and position, or a few customers. Out: profiles, labels, history, and the
message of a finished run. A refresh does it in one transaction; the night commits each step with
the position that it has reached.
"""

from odoo import fields, models
from odoo.tools import SQL

from ...tools.batches import wake
from ...tools.context import own
from ...tools.step import EVERYBODY, LAST_ID, Scope, Step
from ..prediction.fit import Fit
from ..prediction.forecast import PredictKnown, PredictNew
from ..prediction.rhythm import Rhythms
from .collect import Collect
from .first_run import EarlyFit
from .look import Look
from .purchases import Purchases
from .run import COMPLETE, NIGHTLY, STAGES_ONLY, _logger
from .store import Store

#: commercial partner ids that are summed up in one pass
ID_RANGE = 2_000_000


def refresh(env, company, partner_ids):
    """Make the profiles of some customers fresh, in this transaction.

    :param partner_ids: ids of commercial partners
    """
    flow = Flow(env, company, company._lifecycle_today(), Scope(partner_ids))
    flow.step(Purchases).update_few()
    flow.figures()
    with flow.step(Look) as look:
        look.update()
        look.read_orders()
    flow.label()
    env["lifecycle.profile"].invalidate_model()


class Flow(Step):
    """The steps for some customers of a company on a day."""

    def step(self, kind, **options):
        """One of the steps, of the same customers."""
        return kind(self.env, self.company, self.day, self.scope, **options)

    def figures(self, late=False):
        """Collect, predict and store the figures of a few, with the model that there is.

        :param late: leave out the purchases that are news of customers with a changed past
        """
        with self.step(Collect, late=late) as sums, self.step(PredictNew) as new:
            sums.collect()
            new.predict(0, LAST_ID)
            self.step(Store).store(0, LAST_ID, late=not late)
        self.step(PredictKnown).predict()
        self.step(Rhythms).update()

    def label(self):
        """Put a few where the rules want them; what moves is news of them.

        Before the first complete run there is no history that a change could continue, and what a
        changed rule moves must not look like news.
        """
        classifier = self.env["lifecycle.classifier"]
        if classifier._is_started(self.company) and not classifier._is_stale(self.company):
            classifier._classify_late(self.company, self.day, self.scope.partner_ids)
            classifier._classify_all(self.company, self.day, partner_ids=self.scope.partner_ids)

    def label_all(self, kind, announce):
        """Put everybody where the rules want them.

        :param kind, announce: of the run
        :return: (number of changes, list of errors of automation rules)
        """
        company, day = self.company, self.day
        classifier = self.env["lifecycle.classifier"]
        cause = "rule"
        if not classifier._is_started(company):
            classifier._reconstruct(company, day)
            cause = "initial"
        elif not announce and (
            kind in ("rules", "settings") or classifier._is_stale(company, announced=False)
        ):
            # what a changed rule or setting moves is no news of the customers
            cause = "edit"
        late = 0
        if cause == "rule":
            late = classifier._classify_late(company, day)
        else:
            # all that moves is history now
            classifier._forget_late(company)
        changed, errors = classifier.with_context(lifecycle_announce=own(announce))._classify_all(
            company, day, cause=cause
        )
        return late + changed, errors


class Snapshot(Step):
    """- ``lifecycle_seen``: rows of the queue that what is collected now already contains"""

    TABLES = ("lifecycle_seen",)

    def __enter__(self):
        super().__enter__()
        self.cr.execute(
            SQL(
                "CREATE TEMPORARY TABLE lifecycle_seen AS SELECT id FROM lifecycle_queue "
                "WHERE company_id = %s AND %s",
                self.company.id,
                self.scope.where(SQL.identifier("partner_id")),
            )
        )
        return self

    def take_off_queue(self):
        """Delete these rows: all that they stand for is written."""
        self.cr.execute("DELETE FROM lifecycle_queue WHERE id IN (SELECT id FROM lifecycle_seen)")


class LifecycleRun(models.Model):
    """The night: steps for everybody, each committed together with the position reached."""

    # a file for each subject of this large model
    _inherit = "lifecycle.run"  # pylint: disable=consider-merging-classes-inherited

    def _flow(self, company, scope=EVERYBODY):
        # a run that has not begun is about today
        return Flow(self.env, company, self.as_of or company._lifecycle_today(), scope)

    def _step_facts(self, company):
        """Collect a range of customers; predict who is new, and store, in batches."""
        commit = self.env["ir.cron"]._commit_progress
        if not self.position:
            self.env["lifecycle.revenue.source"]._look_again(company)
        self.env.cr.execute("SELECT COALESCE(MAX(id), 0) FROM res_partner")
        newest = self.env.cr.fetchone()[0]
        first, last = self.position + 1, self.position + ID_RANGE
        flow = self._flow(company, Scope(id_range=(first, last)))
        # a fit needs the purchases too: where one pass reads them all, it reads them for both
        whole = first == 1 and last >= newest
        early = EarlyFit(self.env, company, self.as_of) if whole and self._is_fit_due() else None
        with (
            flow.step(Snapshot) as snapshot,
            flow.step(Purchases) as purchases,
            flow.step(Collect, sample=early and early.columns()) as sums,
            flow.step(PredictNew) as new,
        ):
            looked_at = purchases.update(self.kind, first == 1, last >= newest)
            self._count_set_aside(company, looked_at, first == 1)
            customers = sums.collect() + (self.customer_count if self.position else 0)
            self._add_up_shares(sums.shares(), first == 1)
            if early:
                self._fit_early(early, sums.buyer_count())
            store = flow.step(Store)
            after, changed, predicted = self.position, self.changed_count, 0
            while after is not None:
                until = store.next_position(after)
                predicted += new.predict(after, until or last)
                changed += store.store(after, until or last)
                after = until
                self.write({"changed_count": changed, "customer_count": customers})
                if after:
                    self.progress = min(50, 50 * after / max(newest, 1))
                    commit()
            snapshot.take_off_queue()
            everybody = whole and predicted == sums.buyer_count()
        if last < newest:
            self._advance("facts", last)
        else:
            # where all buyers are new and written with their predictions, none is left to do
            self._advance("fit", LAST_ID if everybody else 0)

    def _add_up_shares(self, shares, begins):
        """Add up how much of the revenue the company's share stands in for."""
        before = (0.0, 0.0) if begins else (self.revenue, self.by_share)
        self.revenue, self.by_share = (sum(pair) for pair in zip(before, shares, strict=True))

    def _count_set_aside(self, company, looked_at, begins):
        """Count the documents that nobody can believe, where there may be any.

        :param looked_at: customers with changed documents; None where all were read
        """
        aside = self.env["lifecycle.set.aside"]
        if begins:
            self.set_aside_count = aside._last_count(company)
        known = begins and (looked_at is None or self.set_aside_count)
        if known or looked_at is not None and aside._any_of(company, looked_at):
            self.set_aside_count = aside._count(company)

    def _is_fit_due(self):
        due = self.env["lifecycle.clv.model"]._is_due(self.company_id, self.as_of)
        return self.refit or due

    def _fit_early(self, early, customers):
        """Fit before new profiles are written, so that they are written with predictions.

        Whatever goes wrong here costs speed only: the step of its own fits again, and says what
        failed when the sums are safe.
        """
        commit = self.env["ir.cron"]._commit_progress
        # a failure must not take the collected sums along
        commit()
        try:
            if early.fit(customers):
                self.refit = False
                commit()
        except Exception as error:
            self.env.cr.rollback()
            _logger.info("Run %s: the model is fitted later: %s", self.id, error)

    def _step_fit(self, company):
        position = self.position
        if self._is_fit_due():
            self._flow(company).step(Fit).fit()
            position = 0
        self._advance("predict", position)

    def _step_predict(self, company):
        last, changed = self._flow(company).step(PredictKnown).predict(self.position)
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
        """Look, label and record."""
        warnings = [
            warning
            for kind in ("lifecycle.stage", "lifecycle.vip.tier", "lifecycle.segment")
            for warning in self.env[kind]._switch_off_broken()
        ]
        self._flow(company).step(Rhythms).update()
        self._flow(company).step(Purchases).update_items()
        warnings += self._look_at_customers(company)
        warnings += company._lifecycle_timezone_warning()
        changed, errors = self._flow(company).label_all(self.kind, self.announce)
        self.changed_count += changed
        for name in ("lifecycle.stage.statistic", "lifecycle.first.product"):
            statistics = self.env[name]
            if statistics._is_due(company, self.as_of):
                statistics._update(company, self.as_of)
        self._finish(errors, warnings)

    def _look_at_customers(self, company):
        """Have the readers look at the customers that there is news of; return warnings."""
        with self._flow(company).step(Look) as look:
            seen = look.find_changes(self._last_seen, self.kind in COMPLETE)
            changed, warnings = look.update()
            self.changed_count += changed
            while look.read_orders():
                self.env["ir.cron"]._commit_progress()
        # what was looked at counts as seen when all of it is written
        self.write(seen)
        return warnings

    def _last_seen(self, name):
        """What the last run that came to its end has seen."""
        return self.search([("company_id", "=", self.company_id.id), (name, "!=", False)], limit=1)[
            name
        ]

    def _finish(self, errors=(), warnings=()):
        """End the run well.

        :param errors: what automation rules on changes of stage raised, with the profile's id
        :param warnings: sentences about rules that were switched off
        """
        model = self.env["lifecycle.clv.model"]._current(self.company_id)
        # names of customers: for managers, who alone read runs
        explanation = "\n".join(filter(None, [model._explain(), model.outlier_text]))
        if self.kind not in STAGES_ONLY:
            warning = self.env["lifecycle.set.aside"]._warning(self.set_aside_count)
            warnings = [*warnings, *filter(None, [warning])]
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
            }
        )
