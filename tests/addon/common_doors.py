"""Looks for open doors in all that the addon brings, models and methods yet to come included.

``DoorsCase`` makes a company with customers of several salespeople and another company, and the
five kinds of people who must not get further than they may. ``guarded`` notes what is done on the
way: statements that write, e-mails, scheduled actions woken, the registry loaded anew.
"""

import inspect
import re
from contextlib import contextmanager
from unittest.mock import patch

import psycopg2

from odoo import Command, fields
from odoo.exceptions import AccessError, MissingError, UserError, ValidationError
from odoo.modules.registry import Registry
from odoo.service.model import get_public_method
from odoo.tools import mute_logger

from .common import LifecycleCase

MANAGER = "sales_team.group_sale_manager"
SALESMAN = "sales_team.group_sale_salesman"
ADDON = "odoo.addons.customer_lifecycle."
#: amounts that no other figure has, to be recognised wherever they come out
SECRET, FOREIGN = 976543, 865432
#: columns that Odoo itself fills
AUTOMATIC = ("id", "create_uid", "create_date", "write_uid", "write_date")
#: what a door that is shut answers with
REFUSALS = (AccessError, UserError, ValidationError, MissingError, ValueError, TypeError, KeyError,
            AttributeError, NotImplementedError, psycopg2.Error)
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|TRUNCATE|ALTER|COPY|WITH\b.*\bINSERT)", re.I | re.S)
#: tables of a moment, which nobody sees
PASSING = re.compile(
    # whose scheduled action is woken is noted by ``woken``
    r"ir_cron_trigger|pg_temp\.|TEMPORARY|"
    r"INTO \"?lifecycle_(said|audience|facts|moves|entering)\b",
    re.I,
)


class DoorsCase(LifecycleCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.home = cls.new_company("Doors", lifecycle_tz="UTC", email="doors@example.com")
        cls.elsewhere = cls.new_company("Elsewhere", lifecycle_tz="UTC")
        cls.env = cls.env["base"].with_company(cls.home).env
        cls.manager = cls.new_user("door_manager", MANAGER, cls.home)
        cls.own = cls.new_user("door_own", SALESMAN, cls.home)
        cls.stranger = cls.new_user("door_stranger", MANAGER, cls.elsewhere)
        cls.internal = cls.new_user("door_internal", "base.group_user", cls.home)
        cls.portal = cls.new_user("door_portal", "base.group_portal", cls.home)
        cls.big = cls.new_customer(
            "Big", is_company=True, email="big@example.com", user_id=cls.manager.id
        )
        cls.small = cls.new_customer("Small", email="small@example.com", user_id=cls.own.id)
        cls.new_order(cls.big, SECRET, company=cls.home)
        cls.new_order(cls.small, 50, company=cls.home)
        # the customer of both companies: what one sold him is no business of the other
        cls.new_order(cls.big, FOREIGN, company=cls.elsewhere)
        # what customers find of their own
        cls.portal_order = cls.new_order(cls.portal.partner_id, 10, company=cls.home)
        cls.new_order(cls.portal.partner_id, 20, company=cls.home)
        cls.segment = cls.env["lifecycle.segment"].create(
            {"name": "Everybody", "domain": "[('order_count', '>', 0)]", "company_id": cls.home.id}
        )
        cls.tier = cls.env["lifecycle.vip.tier"].create(
            {"name": "Door gold", "company_id": cls.home.id, "rank": 3, "entry": 1000}
        )
        cls.stage = cls.env.ref("customer_lifecycle.stage_active")
        cls.profiles = cls.env["lifecycle.profile"]
        for partner, company, amount in (
            (cls.big, cls.home, SECRET),
            (cls.small, cls.home, 50),
            (cls.big, cls.elsewhere, FOREIGN),
        ):
            cls.profiles |= cls.new_profile(partner, company, amount)
        cls.secret = cls.profiles[0]
        cls.new_purchase(cls.big, SECRET, company=cls.home)
        cls.workflow = cls.env["lifecycle.workflow"].create(
            {
                "name": "Door",
                "company_id": cls.home.id,
                "stage_ids": [Command.set(cls.stage.ids)],
                "step_ids": [Command.create({"kind": "note", "note": "<p>Hi</p>", "delay": 3})],
            }
        )
        cls.workflow._start(everybody=True)
        cls.more_records()
        cls.env.flush_all()
        cls.env.cr.precommit.run()

    @classmethod
    def new_profile(cls, partner, company, amount):
        day = fields.Date.today()
        profile = cls.env["lifecycle.profile"].create(
            {
                "partner_id": partner.id,
                "company_id": company.id,
                "currency_id": company.currency_id.id,
                "order_count": 3,
                "first_order_date": fields.Date.subtract(day, days=300),
                "last_order_date": fields.Date.subtract(day, days=30),
                "p_alive": 0.4321,
                "stage_id": cls.stage.id,
                "stage_date": day,
                "vip_tier_id": cls.tier.id if company == cls.home else False,
                **dict.fromkeys(
                    ("revenue", "revenue_year", "clv_historical", "clv_total", "value_year"), amount
                ),
            }
        )
        cls.env["lifecycle.transition"].create(
            {
                "profile_id": profile.id,
                "kind": "stage",
                "number": 1,
                "to_stage_id": cls.stage.id,
                "date": day,
                "cause": "rule",
                "why": {"p_alive": 0.4321, "revenue": amount},
            }
        )
        if company == cls.home:
            cls.env["lifecycle.segment.member"].create(
                {"profile_id": profile.id, "segment_id": cls.segment.id, "since": day}
            )
        return profile

    @classmethod
    def fill(cls, name):
        """A record of a model about the large customer of the home company, if one can be made."""
        model = cls.env[name]
        values = {}
        for field in model._fields.values():
            link = field.name in ("partner_id", "profile_id", "company_id")
            if not field.store or field.name in AUTOMATIC:
                continue
            if not link and not field.required:
                continue
            if field.related or (field.default and not link):
                continue
            if field.type == "many2one":
                named = {
                    "res.partner": cls.big if field.name != "friend_id" else cls.friend,
                    "lifecycle.profile": cls.secret,
                    "res.company": cls.home,
                    "lifecycle.workflow": cls.workflow,
                    "lifecycle.segment": cls.segment,
                }
                found = named.get(field.comodel_name)
                if found is None:
                    found = cls.env[field.comodel_name].search([], limit=1, order="id desc")
                values[field.name] = found.id
            elif field.type == "selection":
                values[field.name] = field._description_selection(cls.env)[0][0]
            else:
                values[field.name] = {
                    "char": f"x{len(cls.filled)}", "integer": 1, "float": 1.0, "monetary": 1.0,
                    "date": "2026-01-05", "datetime": "2026-01-05 10:00:00", "boolean": True,
                }.get(field.type)
        try:
            with cls.env.cr.savepoint(), mute_logger("odoo.sql_db"):
                record = model.create(values)
                cls.env.flush_all()
        except Exception:
            return model
        cls.filled[name] = record
        return record

    @classmethod
    def more_records(cls):
        """Records of models that only computations fill."""
        day = fields.Date.today()
        cls.env["lifecycle.segment.flow"].create(
            {
                "segment_id": cls.segment.id,
                "company_id": cls.home.id,
                "month": day.replace(day=1),
                "joined_count": 2,
            }
        )
        cls.env["lifecycle.stage.statistic"].create(
            {"stage_id": cls.stage.id, "company_id": cls.home.id, "as_of": day, "stay_count": 2}
        )
        cls.filled, cls.friend = {}, cls.new_customer("Friend", user_id=cls.manager.id)
        cls.env["loyalty.program"].create(
            {"name": "Door coupons", "program_type": "coupons", "company_id": cls.home.id}
        )
        for name in ("lifecycle.referral.program", *cls.our_models()):
            if not cls.env[name]._abstract and cls.env[name]._auto:
                cls.fill(name)

    # ----- WHAT THE ADDON BRINGS -----

    @classmethod
    def our_models(cls):
        """Names of the models that the addon brings, found in the registry."""
        return sorted(
            name
            for name, model in cls.env.registry.items()
            if model._original_module == "customer_lifecycle"
        )

    @classmethod
    def touched_models(cls):
        """Names of all models that the addon brings or extends."""
        return sorted(
            name
            for name, model in cls.env.registry.items()
            if any(base.__module__.startswith(ADDON) for base in model.__mro__)
            and name != "base"
            and any(
                base.__module__.startswith(ADDON) and getattr(base, "_name", None) != "base"
                for base in model.__mro__
            )
        )

    def public_methods(self, name):
        """Methods of ours that may be called from outside."""
        model = self.env.registry[name]
        names = {
            attribute
            for base in model.__mro__
            if base.__module__.startswith(ADDON)
            for attribute in vars(base)
            if not attribute.startswith("_") and inspect.isfunction(vars(base)[attribute])
        }
        for attribute in sorted(names):
            try:
                get_public_method(self.env[name], attribute)
            except (AccessError, AttributeError):
                continue
            yield attribute

    #: what arguments may look like, by their names
    def arguments(self, method):
        given = {
            "domain": [],
            "period": {"days": 30},
            "kind": "order",
            "partner_id": self.big.id,
            "record_id": self.big.id,
            "vals_list": [{}],
            "vals": {"name": "X"},
            "times": {},
        }
        parameters = list(inspect.signature(method).parameters.values())
        return {
            one.name: given.get(one.name, 1 if one.name.endswith("_id") else [])
            for one in parameters
            if one.name != "self"
            and one.default is inspect.Parameter.empty
            and one.kind not in (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        }

    def some_records(self, name):
        """A few records of a model that belong to the home company or to its customers."""
        model = self.env[name].sudo().with_context(active_test=False)
        if model._abstract:
            return self.env[name]
        if name in self.filled and self.filled[name].exists():
            return self.filled[name]
        domain = []
        for field, value in (
            ("partner_id", self.big.ids),
            ("profile_id", self.secret.ids),
            ("company_id", self.home.ids),
        ):
            if field in model._fields and model._fields[field].store:
                domain = [(field, "in", value)]
                break
        try:
            return model.search(domain, limit=2, order="id desc").sudo(False)
        except REFUSALS:
            return self.env[name]

    # ----- WATCHING -----

    @contextmanager
    def guarded(self):
        """Yields a list of what is done meanwhile; all of it is taken back."""
        done = []
        self.env.flush_all()
        self.env.cr.precommit.run()
        execute = type(self.env.cr).execute

        def listen(cr, query, *args, **options):
            text = getattr(query, "code", query)
            text = text if isinstance(text, str) else str(text)
            if WRITES.match(text) and not PASSING.search(text):
                done.append(" ".join(text.split())[:150])
            return execute(cr, query, *args, **options)

        def woken(crons, *args, **options):
            names = crons.sudo().get_external_id().values()
            done.extend(f"wakes {one}" for one in names if one.startswith("customer_lifecycle."))
            return trigger(crons, *args, **options)

        trigger = self.env.registry["ir.cron"]._trigger

        def loaded(*_args, **_options):
            done.append("the registry is loaded anew")

        savepoint = self.env.cr.savepoint(flush=False)
        with (
            patch.object(type(self.env.cr), "execute", listen),
            patch.object(self.env.registry["ir.cron"], "_trigger", woken),
            patch.object(Registry, "clear_cache", loaded),
            patch.object(Registry, "_setup_models__", loaded),
        ):
            try:
                yield done
            finally:
                self.env.cr.precommit.clear()
                transaction = self.env.transaction
                if done or any(transaction.field_dirty.values()) or transaction.tocompute:
                    # what is in memory stays where nothing was written: reading it anew takes long
                    transaction.clear()
                savepoint.rollback()
                savepoint.close(rollback=False)

    def tried(self, call, *arguments, **options):
        """(what was answered or None, what was done, whether it was refused)."""
        with self.guarded() as done:
            try:
                answer = call(*arguments, **options)
                self.env.flush_all()
                self.env.cr.precommit.run()
                if hasattr(answer, "ids"):
                    answer = answer.ids
                return answer, list(done), False
            except (*REFUSALS, AssertionError):
                # Odoo asserts what its own methods are given. What the database takes back was
                # not done.
                left = [one for one in done if one.startswith("the registry")]
                return None, left, True

    def assertShut(self, call):
        """That a call is refused."""
        answer, _done, refused = self.tried(call)
        self.assertTrue(refused, f"not refused, but answered {answer}")
