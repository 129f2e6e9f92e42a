from datetime import timedelta

from odoo.exceptions import AccessError, UserError
from odoo.tools import SQL

from .common_figures import PartnerFieldsCase, profile_fields

SALESMAN = "sales_team.group_sale_salesman"
ALL_DOCUMENTS = "sales_team.group_sale_salesman_all_leads"
MANAGER = "sales_team.group_sale_manager"
MODELS = (
    "lifecycle.profile",
    "lifecycle.purchase",
    "lifecycle.external.purchase",
    "lifecycle.revenue.source",
    "lifecycle.clv.model",
    "lifecycle.run",
    "lifecycle.queue",
)


class AccessCase(PartnerFieldsCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.manager = cls.new_user("lc_manager", MANAGER, cls.home)
        cls.everything = cls.new_user("lc_all", ALL_DOCUMENTS, cls.home)
        cls.salesman = cls.new_user("lc_own", SALESMAN, cls.home)
        cls.internal = cls.new_user("lc_internal", "base.group_user", cls.home)
        cls.portal = cls.new_user("lc_portal", "base.group_portal", cls.home)
        # "big" is somebody else's customer, "small" the salesman's own
        cls.big.user_id = cls.manager
        cls.contact.user_id = cls.salesman
        cls.small.user_id = cls.salesman
        # the portal user is a contact of "big" and may read his own company
        cls.portal.partner_id.parent_id = cls.big
        cls.env.flush_all()

    def ways_to_the_value(self, user, name, least):
        """(label, function) of every way by which a user could learn who has a value.

        Each function returns the ids of the contacts, or the numbers, that it gives away.
        """
        ids = self.all.ids
        Partner = self.env["res.partner"].with_user(user).with_context(active_test=False)
        Order = self.env["sale.order"].with_user(user)
        field = Partner._fields[name]
        related = field.related.split(".")[1]
        inside = [("id", "in", ids)]
        aggregate = "max" if field.type == "date" else "sum"

        def by_sql():
            query = Partner._search(inside)
            expression = Partner._field_to_sql(Partner._table, name, query)
            self.env.cr.execute(query.select(SQL("MAX(%s)", expression)))
            return self.env.cr.fetchone()[0]

        def ordered(model, order):
            """Whether the order follows the values: both directions differ."""
            up = model.search(inside if model is Partner else [], order=f"{order}")
            down = model.search(inside if model is Partner else [], order=f"{order} desc")
            return up != down and (up.ids, down.ids)

        month = ":month" if field.type == "date" else ""
        yield "read", lambda: [row for row in Partner.browse(ids).read([name]) if row[name]]
        yield "attribute", lambda: [row for row in Partner.browse(ids) if row[name]]
        yield "search", lambda: Partner.search([*inside, (name, ">=", least)]).ids
        yield "negated", lambda: (
            len(Partner.search([*inside, "!", (name, ">=", least)])) < len(Partner.search(inside))
        )
        yield "set", lambda: Partner.search([*inside, (name, "!=", False)]).ids
        yield "path", lambda: Partner.search(
            [*inside, (f"lifecycle_profile_id.{related}", ">=", least)]
        ).ids
        yield "any", lambda: Partner.search(
            [*inside, ("lifecycle_profile_id", "any", [(related, ">=", least)])]
        ).ids
        yield "any!", lambda: Partner.search(
            [*inside, ("lifecycle_profile_id", "any!", [(related, ">=", least)])]
        ).ids
        yield "order", lambda: ordered(Partner, name)
        yield "order of path", lambda: ordered(Partner, f"lifecycle_profile_id.{related}")
        yield "sum", lambda: Partner._read_group(inside, [], [f"{name}:{aggregate}"])[0][0]
        yield "formatted", lambda: Partner.formatted_read_group(
            inside, [], [f"{name}:{aggregate}"]
        )[0][f"{name}:{aggregate}"]
        yield "group", lambda: [
            group for group, _count in Partner._read_group(inside, [name + month], ["__count"])
            if group
        ]
        yield "having", lambda: Partner._read_group(
            inside, ["id"], [f"{name}:{aggregate}"], having=[(f"{name}:{aggregate}", ">=", least)]
        )
        yield "group order", lambda: (
            Partner._read_group(inside, ["id"], [], order=f"{name}:{aggregate}, id")
            != Partner._read_group(inside, ["id"], [], order=f"{name}:{aggregate} desc, id")
        )
        yield "sql", by_sql
        yield "export", lambda: [
            row for row in Partner.browse(ids).export_data([name])["datas"] if row[0]
        ]
        yield "order domain", lambda: Order.search([(f"partner_id.{name}", ">=", least)]).ids
        yield "order groups", lambda: [
            group
            for group, _count in Order._read_group([], [f"partner_id.{name}{month}"], ["__count"])
            if group
        ]
        yield "profile", lambda: (
            Partner.env["lifecycle.profile"]
            .search([("partner_id", "in", ids), (related, ">=", least)]).ids
        )
        yield "profile sum", lambda: Partner.env["lifecycle.profile"]._read_group(
            [("partner_id", "in", ids)], [], [f"{related}:{aggregate}"]
        )[0][0]
        yield "profile order", lambda: ordered(Partner.env["lifecycle.profile"], related)
        profiles = self.env["lifecycle.profile"].search([("partner_id", "in", ids)])
        yield "profile read", lambda: profiles.with_user(user).read([related])

    def assertRefused(self, function, *arguments):
        try:
            with self.env.cr.savepoint():
                result = function(*arguments)
        except (AccessError, UserError, ValueError):
            return
        self.fail(f"not refused, but answered {result}")

    def assertHidden(self, user, names=None):
        fields = profile_fields(self.env["res.partner"])
        for name in names or fields:
            field = fields[name]
            if field.type not in ("integer", "float", "monetary", "date"):
                continue
            least = self.today - timedelta(days=9999) if field.type == "date" else 0.001
            for label, way in self.ways_to_the_value(user, name, least):
                with self.subTest(user=user.login, field=name, way=label):
                    try:
                        with self.env.cr.savepoint():
                            result = way()
                    except (AccessError, UserError, ValueError):
                        continue
                    self.assertFalse(result, "gives the hidden value away")
