"""Odoo in a process of its own, to be killed, doubled and disturbed by test_crash.py.

    worker.py DATABASE [ODOO OPTION ...]

reads lists of tasks from standard input, one JSON list a line, runs the tasks of a list at the
same time, each in a fork, and answers with one JSON list of what became of them:
``{"signal": 9}`` or ``{"code": 0, "result": ...}`` or ``{"code": 1, "error": "..."}``.
"""

import functools
import json
import os
import random
import signal
import sys
import time
import traceback
from collections import Counter
from datetime import timedelta

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import odoo.init  # noqa: F401 E402 the order in which Odoo wants to be imported
from odoo import SUPERUSER_ID, Command, api, fields, sql_db  # noqa: E402
from odoo.modules.registry import Registry  # noqa: E402
from odoo.service.model import retrying  # noqa: E402
from odoo.tools import config  # noqa: E402

NIGHTLY = "customer_lifecycle.ir_cron_lifecycle_nightly"
REFRESH = "customer_lifecycle.ir_cron_lifecycle_refresh"
MODELS = "odoo.addons.customer_lifecycle.models"


class Worker:
    """The tasks; each runs in a fork with connections of its own."""

    def __init__(self, database):
        self.database = database
        self.registry = Registry(database)
        import odoo.addons.customer_lifecycle.models.lifecycle_pipeline_store as store
        import odoo.addons.customer_lifecycle.models.lifecycle_prediction as prediction
        import odoo.addons.customer_lifecycle.models.lifecycle_run_refresh as refresh
        import odoo.addons.customer_lifecycle.models.lifecycle_run_steps as steps

        # small batches, so that there are many commits to be killed between
        prediction.PREDICT_BATCH, refresh.REFRESH_BATCH = 20, 15
        with self.registry.cursor() as cursor:
            cursor.execute("SELECT last_value FROM res_partner_id_seq")
            # the last of them cuts through the customers that are going to be made
            steps.ID_RANGE = (cursor.fetchone()[0] + 35) // 2
            store.STORE_BATCH = steps.ID_RANGE // 3

    def env(self, cursor):
        return api.Environment(cursor, SUPERUSER_ID, {"tracking_disable": True})

    # ----- DATA -----

    def fill(self, customers):
        """Two companies; customers with purchases, a prospect's lead, contacts to delete.

        :return: ids of the customers
        """
        chance = random.Random(3)
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            currency = env.company.currency_id
            companies = env["res.company"].create(
                [{"name": name, "currency_id": currency.id, "lifecycle_tz": "UTC"}
                 for name in ("Crash one", "Crash two")]
            )
            env.user.company_ids |= companies
            env.user.company_id = companies[0]
            cursor.execute(
                "UPDATE res_company SET active = FALSE WHERE id <> ALL(%s)", [companies.ids]
            )
            env.invalidate_all()
            env["ir.config_parameter"].set_param(
                "customer_lifecycle.default_company_id", companies[0].id
            )
            partners = env["res.partner"].create(
                [{"name": f"Customer {number:02}", "email": f"c{number}@example.com"}
                 for number in range(customers)]
            )
            rows = []
            today = fields.Date.today()
            for number, partner in enumerate(partners):
                day = today - timedelta(days=chance.randint(200, 600))
                while day <= today and (number % 4 or day < today - timedelta(days=150)):
                    company = companies[number % 9 == 0]
                    rows.append(
                        {"partner_id": partner.id, "date": day, "company_id": company.id,
                         "currency_id": currency.id, "amount": chance.randint(10, 200)}
                    )
                    day += timedelta(days=chance.randint(5, 60))
            env["lifecycle.external.purchase"].create(rows)
            doomed = env["res.partner"].create(
                [{"name": "Doomed", "email": "d@example.com"} for _number in range(20)]
            )
            env["crm.lead"].create(
                [{"name": "L", "partner_id": partner.id} for partner in doomed + partners[-5:]]
            )
            for partner in partners[:5]:
                self._save_order(env, chance, partner)
            # what was computed for the companies that were there before
            for table in ("profile", "run", "clv_model"):
                cursor.execute(f"DELETE FROM lifecycle_{table}")
            return partners.ids

    # ----- COMPUTATION -----

    def compute(self, xml_id=NIGHTLY, passes=1, request=False, **kill):
        """Run a scheduled action some times; count statements and commits; die before one.

        :param kill: step of the run, number within it and kind ("execute" or "commit") of the
            statement to die before
        :return: list of [kind, step of the run] in the order they happened
        """
        happened = []
        self._spy(happened, **kill)
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            if request:
                env["lifecycle.run"]._request(env["res.company"].search([]), kind="manual")
                cursor.commit()
            for _pass in range(passes):
                env.ref(xml_id).method_direct_trigger()
        return happened

    def _spy(self, happened, kill_step=None, kill_at=None, kill_word=None):
        place = ["start"]
        run_class = self.registry["lifecycle.run"]
        for step, _label in run_class._fields["step"].selection:
            self._tell(run_class, f"_step_{step}", place, step)
        self._tell(run_class, "_refresh_rows", place, "refresh")
        counts = Counter()

        def note(what):
            here = what, place[0]
            if here == (kill_word, kill_step) and counts[here] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            counts[here] += 1
            happened.append(here)

        execute, commit = sql_db.Cursor.execute, sql_db.Cursor.commit

        def execute_and_note(cursor, *args, **kwargs):
            note("execute")
            return execute(cursor, *args, **kwargs)

        def commit_and_note(cursor):
            note("commit")
            return commit(cursor)

        sql_db.Cursor.execute = execute_and_note
        sql_db.Cursor.commit = commit_and_note

    @staticmethod
    def _tell(model_class, name, place, word):
        method = getattr(model_class, name)

        def telling(*args):
            place[0] = word
            return method(*args)

        setattr(model_class, name, telling)

    def settle(self, rounds=20):
        """Run both actions until nothing waits; return what is left and the run's states."""
        for _round in range(rounds):
            self.compute(NIGHTLY)
            self.compute(REFRESH)
            with self.registry.cursor() as cursor:
                cursor.execute(
                    "SELECT (SELECT COUNT(*) FROM lifecycle_queue), (SELECT COUNT(*) "
                    "FROM lifecycle_run WHERE state IN ('pending', 'running'))"
                )
                left = cursor.fetchone()
            if left == (0, 0):
                break
        return left

    # ----- WITHOUT THE SCHEDULER'S OWN LOCK -----

    def unlocked(self, method, times=1):
        """Call a scheduled action's method directly: only our own lock keeps others out."""
        for _time in range(times):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if times > 1:
                    env["lifecycle.run"]._request(env["res.company"].search([]), kind="manual")
                    cursor.commit()
                getattr(env["lifecycle.run"], method)()

    def overtaken(self, method):
        """Call a scheduled action's method that another worker overtakes.

        The other does all the work between this one's first look and its lock.
        """
        run_class = self.registry["lifecycle.run"]
        locks = run_class._company_locks

        def late(record, companies):
            run_class._company_locks = locks
            for first in ("_cron_nightly", "_cron_refresh"):
                self.unlocked(first)
            return locks(record, companies)

        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            env["lifecycle.run"]._request(env["res.company"].search([]), kind="manual")
        run_class._company_locks = late
        self.unlocked(method)
        if run_class._company_locks is late:
            raise AssertionError("nobody was overtaken")

    # ----- A USER -----

    def user(self, seed, saves, partner_ids):
        """Save what users save; nothing is tried again, except merging and deleting.

        :return: number of saves of each kind
        """
        chance = random.Random(seed)
        done = {}
        for _save in range(saves):
            kind = chance.choice(
                ["phone", "order", "order", "cancel", "line", "import", "contact", "parent",
                 "exclude", "merge", "delete"]
            )
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                partners = env["res.partner"].browse(partner_ids).exists()
                save = getattr(self, f"_save_{kind}")
                if kind in ("merge", "delete"):
                    # Odoo itself tries these again when anybody else has changed the contact
                    retrying(functools.partial(save, env, chance, partners), env)
                else:
                    save(env, chance, partners)
                    # a user thinks; meanwhile the refresh goes on with what it has seen
                    time.sleep(chance.choice([0, 0.005, 0.03]))
            done[kind] = done.get(kind, 0) + 1
        return done

    def _save_phone(self, env, chance, partners):
        chance.choice(partners).phone = f"+32 {chance.randint(1, 10**6)}"

    def _save_order(self, env, chance, partners):
        partner = chance.choice(partners)
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {
                            "product_id": env["product.product"].search([], limit=1).id,
                            "price_unit": chance.randint(1, 500),
                            "tax_ids": False,
                        }
                    )
                ],
            }
        )
        order.action_confirm()

    def _order(self, env, chance, partners):
        # the user's own customers: two users at one order conflict without any computation
        orders = env["sale.order"].search(
            [("state", "=", "sale"), ("partner_id", "in", partners.ids)]
        )
        return chance.choice(orders) if orders else orders

    def _save_cancel(self, env, chance, partners):
        self._order(env, chance, partners)._action_cancel()

    def _save_line(self, env, chance, partners):
        self._order(env, chance, partners).order_line.price_unit = chance.randint(1, 500)

    def _save_import(self, env, chance, partners):
        env["lifecycle.external.purchase"].create(
            {"partner_id": chance.choice(partners).id, "amount": chance.randint(-50, 500),
             "date": fields.Date.today()}
        )

    def _save_contact(self, env, chance, partners):
        parent = chance.choice(partners.commercial_partner_id)
        env["res.partner"].create({"name": "New", "email": "n@example.com",
                                   "parent_id": parent.id})

    def _save_parent(self, env, chance, partners):
        partner, parent = chance.choice(partners), chance.choice(partners)
        if parent.commercial_partner_id != partner and not partner.child_ids:
            partner.parent_id = parent.commercial_partner_id

    def _save_exclude(self, env, chance, partners):
        partner = chance.choice(partners)
        partner.lifecycle_exclude = not partner.lifecycle_exclude

    def _save_merge(self, env, chance, partners):
        one, two = chance.sample(partners.ids, 2)
        pair = partners.browse([one, two])
        if not pair.parent_id and not pair.child_ids:
            wizard = env["base.partner.merge.automatic.wizard"].create({})
            wizard._merge(pair.ids, pair[0])

    def _save_delete(self, env, chance, partners):
        partner = env["res.partner"].create({"name": "Short-lived", "email": "s@example.com"})
        env["crm.lead"].create({"name": "L", "partner_id": partner.id}).unlink()
        doomed = env["res.partner"].search([("name", "=", "Doomed")], limit=1)
        env["crm.lead"].search([("partner_id", "=", doomed.id)]).unlink()
        doomed.unlink()

    # ----- WORKFLOWS -----

    def fill_workflows(self, customers):
        """A workflow of e-mail, points and activity, and customers who have become at risk."""
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            company = env.user.company_id
            env["lifecycle.workflow"].search([]).action_archive()
            program = env["loyalty.program"].with_context(default_program_type="loyalty").create(
                {"name": "Club", "program_type": "loyalty", "applies_on": "both",
                 "trigger": "auto", "company_id": company.id}
            )
            template = env["mail.template"].create(
                {"name": "Back", "model_id": env.ref("base.model_res_partner").id,
                 "subject": "Back, {{ object.name }}", "body_html": "<p>Hello</p>"}
            )
            stage = env.ref("customer_lifecycle.stage_at_risk")
            days = {f"window_{day}": True for day in ("saturday", "sunday")}
            workflow = env["lifecycle.workflow"].create(
                {"name": "Killed", "company_id": company.id, "window_from": 0, "window_to": 24,
                 "stage_ids": [Command.set(stage.ids)], **days,
                 "step_ids": [
                     Command.create({"kind": "email", "template_id": template.id, "delay": 0,
                                     "sequence": 1}),
                     Command.create({"kind": "points", "program_id": program.id, "points": 7,
                                     "delay": 0, "sequence": 2}),
                     Command.create({"kind": "activity", "delay": 0, "sequence": 3}),
                 ]}
            )
            # a second one wants to write to the same people, who get one message in seven days
            rival = env["lifecycle.workflow"].create(
                {"name": "Rival", "company_id": company.id, "window_from": 0, "window_to": 24,
                 "sequence": 99, "stage_ids": [Command.set(stage.ids)], **days,
                 "step_ids": [
                     Command.create({"kind": "email", "template_id": template.id, "delay": 0}),
                 ]}
            )
            (workflow + rival)._start()
            for number in range(customers + 2):
                partner = env["res.partner"].create(
                    {"name": f"Flow {number:02}", "email": f"flow{number}@example.com"}
                )
                profile = env["lifecycle.profile"].create(
                    {"partner_id": partner.id, "company_id": company.id, "order_count": 2,
                     "currency_id": company.currency_id.id, "stage_id": stage.id,
                     "last_order_date": fields.Date.today() - timedelta(days=99)}
                )
                if number < customers:
                    self._become_at_risk(env, profile)
            env["mail.blacklist"]._add("flow3@example.com")

    def _become_at_risk(self, env, profile):
        return env["lifecycle.transition"].create(
            {"profile_id": profile.id, "kind": "stage", "number": 1, "cause": "rule",
             "to_stage_id": env.ref("customer_lifecycle.stage_at_risk").id,
             "date": fields.Date.today()}
        )

    def run_workflows(self, passes, kill_at=None, kill_word=None, unlocked=False):
        """Run the workflows' scheduled action some times; die before a statement or commit.

        :param unlocked: call its method directly, without the scheduler's own lock
        :return: dict of the numbers of statements and commits
        """
        import odoo.addons.customer_lifecycle.models.lifecycle_workflow_run as run

        run.BATCH = 5
        counts = self._count(kill_at, kill_word)
        for _pass in range(passes):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if unlocked:
                    env["lifecycle.workflow"]._cron_run()
                else:
                    env.ref(
                        "customer_lifecycle.ir_cron_lifecycle_workflow"
                    ).method_direct_trigger()
        return dict(counts)

    def _count(self, kill_at, kill_word):
        """Count statements and commits from now on; die before one of them."""
        counts = Counter()

        def note(what):
            if what == kill_word and counts[what] == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)
            counts[what] += 1

        for word in ("execute", "commit"):
            method = getattr(sql_db.Cursor, word)

            def noting(cursor, *args, _method=method, _word=word, **kwargs):
                note(_word)
                return _method(cursor, *args, **kwargs)

            setattr(sql_db.Cursor, word, noting)
        return counts

    def run_referrals(self, passes, kill_at=None, kill_word=None, unlocked=False):
        """Run the scheduled action that rewards recommendations, as ``run_workflows``."""
        import odoo.addons.customer_lifecycle.models.lifecycle_referral_work as work

        work.BATCH = 5
        counts = self._count(kill_at, kill_word)
        for _pass in range(passes):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if unlocked:
                    env["lifecycle.referral"]._cron_follow()
                else:
                    env.ref(
                        "customer_lifecycle.ir_cron_lifecycle_referral"
                    ).method_direct_trigger()
        return dict(counts)

    def fill_referrals(self, friends):
        """A referral programme, and friends of two customers whose paid orders have matured."""
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            company = env.user.company_id
            reward = env["loyalty.program"].with_context(default_program_type="loyalty").create(
                {"name": "Club", "program_type": "loyalty", "applies_on": "both",
                 "trigger": "auto", "company_id": company.id,
                 "rule_ids": [Command.create({"minimum_amount": 1e9})]}
            )
            env["lifecycle.referral.program"].create(
                {"name": "Friends", "company_id": company.id, "waiting_days": 0,
                 "advocate_program_id": reward.id, "advocate_points": 7}
            )
            advocates = env["res.partner"].create(
                [{"name": f"Advocate {number}", "email": f"advocate{number}@example.com"}
                 for number in range(2)]
            )
            product = env["product.product"].create(
                {"name": "Item", "type": "service", "taxes_id": False}
            )
            provider = env["payment.provider"].create({"name": "Pay", "company_id": company.id})
            for number in range(friends):
                friend = env["res.partner"].create(
                    {"name": f"Friend {number}", "email": f"friend{number}@example.com",
                     "lifecycle_referred_by_id": advocates[number % 2].id}
                )
                order = env["sale.order"].create(
                    {"partner_id": friend.id, "company_id": company.id,
                     "order_line": [Command.create({"product_id": product.id,
                                                    "price_unit": 10})]}
                )
                order.action_confirm()
                env["payment.transaction"].create(
                    {"provider_id": provider.id, "reference": f"paid-{number}",
                     "payment_method_id": env.ref("payment.payment_method_card").id,
                     "amount": order.amount_total, "currency_id": order.currency_id.id,
                     "partner_id": friend.id, "state": "done",
                     "sale_order_ids": order.ids}
                )

    def late_transition(self):
        """Commit two changes against the order of their ids, with a pass in between."""
        with self.registry.cursor() as late, self.registry.cursor() as early:
            made = {}
            for name, cursor, partner in (("late", late, "Flow 12"), ("early", early, "Flow 13")):
                env = self.env(cursor)
                profile = env["lifecycle.profile"].search([("partner_id.name", "=", partner)])
                made[name] = self._become_at_risk(env, profile).id
                env.flush_all()
            early.commit()
            for _pass in range(2):
                with self.registry.cursor() as cursor:
                    self.env(cursor)["lifecycle.workflow"]._cron_run()
            late.commit()
        return made

    # ----- LOYALTY -----

    def fill_loyalty(self, customers):
        """A program that gives cards with a bonus, and one whose points are long due to expire.

        :return: [id of the first, id of the second]
        """
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            company = env.user.company_id
            env["loyalty.program"].search([]).action_archive()
            stage = env.ref("customer_lifecycle.stage_at_risk")
            club, former = env["loyalty.program"].with_context(
                default_program_type="loyalty"
            ).create(
                [{"name": name, "program_type": "loyalty", "applies_on": "both",
                  "trigger": "auto", "company_id": company.id} for name in ("Club", "Former")]
            )
            club.write(
                {"lifecycle_stage_ids": [Command.set(stage.ids)], "lifecycle_auto_card": True,
                 "lifecycle_welcome_points": 7}
            )
            # quotations apply the first only
            former.write(
                {"lifecycle_expiry_months": 6, "lifecycle_notice_days": 0,
                 "lifecycle_reminder": "none", "sale_ok": False}
            )
            partners = env["res.partner"].create(
                [{"name": f"Card {number:02}"} for number in range(customers)]
            )
            env["lifecycle.profile"].create(
                [{"partner_id": partner.id, "company_id": company.id, "stage_id": stage.id,
                  "currency_id": company.currency_id.id} for partner in partners]
            )
            env["loyalty.card"].create(
                [{"partner_id": partner.id, "program_id": former.id} for partner in partners]
            )
            return [club.id, former.id]

    def run_loyalty(self, passes, kill_at=None, kill_word=None, unlocked=False):
        """Run the scheduled action for cards and points some times; die if told so."""
        import odoo.addons.customer_lifecycle.models.lifecycle_loyalty_expiry as expiry
        import odoo.addons.customer_lifecycle.models.lifecycle_loyalty_member as member

        member.BATCH = expiry.BATCH = expiry.DATED = 5
        counts = self._count(kill_at, kill_word)
        for _pass in range(passes):
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                if unlocked:
                    env["lifecycle.loyalty.member"]._cron_loyalty()
                else:
                    env.ref(
                        "customer_lifecycle.ir_cron_lifecycle_loyalty"
                    ).method_direct_trigger()
        return dict(counts)

    def buy_with_cards(self):
        """Confirm an order of every customer, as users do who are told to try again."""
        with self.registry.cursor() as cursor:
            partners = self.env(cursor)["res.partner"].search([("name", "like", "Card %")]).ids
        for partner_id in partners:
            with self.registry.cursor() as cursor:
                env = self.env(cursor)
                partner = env["res.partner"].browse(partner_id)
                retrying(
                    functools.partial(self._quote_and_confirm, env, partner), env
                )

    def _quote_and_confirm(self, env, partner):
        order = env["sale.order"].create(
            {
                "partner_id": partner.id,
                "order_line": [
                    Command.create(
                        {"product_id": env["product.product"].search([], limit=1).id,
                         "price_unit": 10, "tax_ids": False}
                    )
                ],
            }
        )
        order._update_programs_and_rewards()
        time.sleep(0.01)
        order.action_confirm()

    # ----- UNINSTALLING -----

    def uninstall(self):
        """Uninstall the addon as a user does; return what Odoo can do afterwards."""
        with self.registry.cursor() as cursor:
            env = self.env(cursor)
            given = self._give_pricelists(env)
            card_id = self._give_card(env)
            cursor.commit()
            env.ref("base.module_customer_lifecycle").button_immediate_uninstall()
        registry = Registry(self.database)
        patched = [
            f"{name}.{method}"
            for name, model_class in registry.items()
            for method, value in vars(model_class).items()
            if getattr(value, "lifecycle_watch", False)
        ]
        with registry.cursor() as cursor:
            env = self.env(cursor)
            views = [(False, "form"), (False, "list"), (False, "search")]
            form = env["res.partner"].get_views(views)
            partner = env["res.partner"].search([("name", "=", "Customer 01")], limit=1)
            shown = list(form["models"]["res.partner"]["fields"])
            read = partner.read([name for name in shown if name in partner._fields])
            self._save_order(env, random.Random(1), partner)
            partner.phone = "+32 1"
            cursor.commit()
            models = [name for name in registry if name.startswith("lifecycle.")]
            pricelists = [
                env["res.partner"].browse(partner_id).with_company(company_id)
                .specific_property_product_pricelist.name
                for partner_id, company_id in given
            ]
            card = env["loyalty.card"].browse(card_id)
            cards = [
                card.points,
                card.history_ids.sorted("id").mapped("description"),
                card.history_ids.sorted("id").mapped(lambda line: [line.issued, line.used]),
                card.program_id.active,
            ]
        return {
            "cards": cards,
            "pricelists": pricelists,
            "patched": patched,
            "models": models,
            "read": len(read),
            "fields": shown,
        }

    def _give_card(self, env):
        """A card with lines of this addon's making, of a program with conditions."""
        program = env["loyalty.program"].with_context(default_program_type="loyalty").create(
            {"name": "Kept", "program_type": "loyalty", "applies_on": "both", "trigger": "auto",
             "lifecycle_welcome_points": 30, "lifecycle_expiry_months": 6,
             "lifecycle_stage_ids": [Command.set(env["lifecycle.stage"].search([]).ids)]}
        )
        partner = env["res.partner"].search([("name", "=", "Customer 01")], limit=1)
        card = env["loyalty.card"].create({"program_id": program.id, "partner_id": partner.id})
        card._lifecycle_add_points(12, lambda one: "Thank you", lifecycle_kind="credited")
        return card.id

    def _give_pricelists(self, env):
        """Two customers with a pricelist: one that the addon gave, and one that a person chose."""
        ours, theirs = env["product.pricelist"].create([{"name": "Ours"}, {"name": "Theirs"}])
        given = []
        for profile, chosen in zip(
            env["lifecycle.profile"].search([], limit=2), (ours, theirs), strict=True
        ):
            profile.vip_pricelist_id = ours
            partner = profile.partner_id.with_company(profile.company_id)
            partner.specific_property_product_pricelist = chosen
            given.append((partner.id, profile.company_id.id))
        return given

    # ----- FORKS -----

    def serve(self):
        sql_db.close_all()
        for line in sys.stdin:
            started = [self._fork(**task) for task in json.loads(line)]
            answers = [self._answer(*one) for one in started]
            print(json.dumps(answers), flush=True)

    def _fork(self, do, **arguments):
        reading, writing = os.pipe()
        pid = os.fork()
        if pid:
            os.close(writing)
            return pid, reading
        code, answer = 0, {}
        try:
            os.close(reading)
            random.seed()
            answer["result"] = getattr(self, do)(**arguments)
        except BaseException:
            code, answer = 1, {"error": traceback.format_exc()}
        with os.fdopen(writing, "w") as stream:
            json.dump(answer, stream)
        os._exit(code)

    @staticmethod
    def _answer(pid, reading):
        with os.fdopen(reading) as stream:
            text = stream.read()
        _pid, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return {"signal": os.WTERMSIG(status)}
        return {"code": os.WEXITSTATUS(status), **json.loads(text)}


if __name__ == "__main__":
    database, *options = sys.argv[1:]
    config.parse_config(["-d", database, "--no-http", "--log-level=error", *options])
    Worker(database).serve()
