"""What the addon adds to the database: keys, indexes and defaults, as PostgreSQL knows them."""

from odoo.tools import SQL

from ..common import LifecycleCase

#: what is not deleted, or by hand and one at a time: a search through a large table may be paid
SETTINGS = {
    "crm_team": "salespersons' teams",
    "lifecycle_rfm_group": "groups of the RFM grid",
    "lifecycle_touchpoint_source": "kinds of touches",
    "res_company": "companies are archived",
    "res_currency": "currencies are archived",
    "utm_campaign": "campaigns are archived",
    "utm_medium": "media are archived",
    "utm_source": "sources are archived",
}
#: tables whose rows people make by hand, and which stay small
SMALL = {
    "ir_act_server",
    "loyalty_program",
    "res_config_settings",
    "lifecycle_audience_export",
    "lifecycle_comparison",
    "lifecycle_loyalty_multiplier",
    "lifecycle_referral_program",
    "lifecycle_rule_preview",
    "lifecycle_segment",
    "lifecycle_spending",
    "lifecycle_spending_source",
    "lifecycle_stage_statistic",
    "lifecycle_vip_tier",
    "lifecycle_workflow",
    "lifecycle_workflow_step",
}


class TestForeignKeys(LifecycleCase):
    def own_tables(self):
        """Tables of the addon's models and of their links, by name of table: the model."""
        models = {}
        for name, model in self.env.registry.items():
            if name.startswith("lifecycle.") and not model._abstract:
                models[model._table] = self.env[name]
                for field in model._fields.values():
                    if field.type == "many2many" and field.store and field.relation:
                        models[field.relation] = None
        for model in self.env.registry.values():
            for name, field in model._fields.items():
                if name.startswith("lifecycle_") and field.type == "many2many" and field.store:
                    models[field.relation] = None
        return models

    def keys(self):
        """All foreign keys as (table, column, table that is pointed at)."""
        return self.env.execute_query(
            SQL(
                """SELECT key.conrelid::regclass::text, col.attname,
                          key.confrelid::regclass::text
                     FROM pg_constraint key
                     JOIN pg_attribute col
                       ON col.attrelid = key.conrelid AND col.attnum = key.conkey[1]
                    WHERE key.contype = 'f'
                 ORDER BY 1, 2"""
            )
        )

    def test_no_table_of_odoo_hangs_on_one_of_the_addon(self):
        """``TRUNCATE lifecycle_… CASCADE``, or a restore of our tables, takes ours alone."""
        own = self.own_tables()
        self.assertIn("lifecycle_profile", own)
        hanging = [
            (table, column, target)
            for table, column, target in self.keys()
            if target in own and table not in own
        ]
        self.assertEqual(hanging, [])

    def test_emptying_every_table_of_the_addon_leaves_odoos_rows(self):
        partner = self.new_customer("Keeps his card")
        program = self.env["loyalty.program"].create({"name": "P", "program_type": "loyalty"})
        card = self.env["loyalty.card"].create(
            {"program_id": program.id, "partner_id": partner.id}
        )
        self.env.flush_all()
        own = [table for table, model in self.own_tables().items() if model is not None]
        present = [
            table
            for table in own
            if self.env.execute_query(SQL("SELECT to_regclass(%s) IS NOT NULL", table))[0][0]
        ]
        before = self.counts()
        self.env.cr.execute(
            SQL(
                "TRUNCATE %s CASCADE",
                SQL(", ").join(SQL.identifier(table) for table in present),
            )
        )
        self.env.invalidate_all()
        self.assertEqual(self.counts(), before)
        self.assertTrue(card.exists())

    def counts(self):
        own = self.own_tables()
        tables = self.env.execute_query(
            SQL(
                "SELECT relname FROM pg_class WHERE relkind = 'r' "
                "AND relnamespace = current_schema::regnamespace ORDER BY relname"
            )
        )
        return {
            table: self.env.execute_query(
                SQL("SELECT COUNT(*) FROM %s", SQL.identifier(table))
            )[0][0]
            for (table,) in tables
            if table not in own
        }

    def test_what_is_deleted_is_found_by_an_index(self):
        """Deleting a contact looks at every foreign key that points to contacts.

        At 36 million deliveries one without an index makes that take ten seconds.
        """
        indexed = set(
            self.env.execute_query(
                SQL(
                    """SELECT indrelid::regclass::text, attname
                         FROM pg_index JOIN pg_attribute
                           ON attrelid = indrelid AND attnum = indkey[0]
                        WHERE indisvalid
                          AND (indpred IS NULL OR pg_get_expr(indpred, indrelid)
                               = format('(%%I IS NOT NULL)', attname))"""
                )
            )
        )
        own = self.own_tables()
        missing = [
            (table, column, target)
            for table, column, target in self.keys()
            # also of the columns that the addon adds to documents of others
            if (table in own or column.startswith("lifecycle_"))
            and (table, column) not in indexed
            and target not in SETTINGS
            and table not in SMALL
            and not (own.get(table) is not None and own[table].is_transient())
            # who made a row: users are archived, and no table of Odoo's has an index for it
            and column not in ("create_uid", "write_uid")
        ]
        self.assertEqual(missing, [])

    def test_small_tables_are_named_rightly(self):
        own = self.own_tables()
        self.assertLessEqual(
            SMALL, own.keys() | {"ir_act_server", "loyalty_program", "res_config_settings"}
        )


class TestUninstallable(LifecycleCase):
    def test_no_inherited_field_of_odoo_hangs_on_one_of_ours(self):
        """Odoo deletes a field together with the inherited ones that depend on it."""
        owners = {}
        for model, name, module in self.env.execute_query(
            SQL(
                """SELECT field.model, field.name, data.module
                     FROM ir_model_fields field JOIN ir_model_data data
                       ON data.model = 'ir.model.fields' AND data.res_id = field.id"""
            )
        ):
            owners.setdefault((model, name), set()).add(module)
        hanging = set()
        for (model, name), modules in owners.items():
            if modules != {"customer_lifecycle"} or model not in self.env:
                continue
            field = self.env[model]._fields.get(name)
            for other in self.env.registry.get_dependent_fields(field) if field else ():
                its = owners.get((other.model_name, other.name), set())
                if other.inherited and its and "customer_lifecycle" not in its:
                    hanging.add((str(other), str(field)))
        self.assertEqual(hanging, set())


class TestDefaults(LifecycleCase):
    def test_required_columns_on_odoos_tables_have_a_default_in_the_database(self):
        """An update of Odoo's apps loads before the addon: its inserts do not know our columns."""
        missing = self.env.execute_query(
            SQL(
                """SELECT field.model, field.name
                     FROM ir_model_fields field
                     JOIN ir_model_data data ON data.model = 'ir.model.fields'
                      AND data.res_id = field.id AND data.module = 'customer_lifecycle'
                     JOIN pg_attribute col
                       ON col.attrelid = to_regclass(replace(field.model, '.', '_'))
                      AND col.attname = field.name
                    WHERE col.attnotnull AND NOT col.atthasdef
                      AND field.model NOT LIKE 'lifecycle.%%'
                      AND NOT EXISTS (SELECT FROM ir_model_data other
                                       WHERE other.model = 'ir.model.fields'
                                         AND other.res_id = field.id
                                         AND other.module != 'customer_lifecycle')"""
            )
        )
        self.assertEqual(missing, [])

    def test_default_in_the_database_is_the_fields(self):
        """Whoever inserts a company or a program without our columns gets what the form presets."""
        for model, names in (
            ("res.company", ["lifecycle_basis", "lifecycle_horizon", "lifecycle_cap_week"]),
            ("loyalty.program", ["lifecycle_reminder", "lifecycle_notice_days"]),
        ):
            presets = self.env[model].default_get(names)
            for name in names:
                with self.subTest(model=model, name=name):
                    stored = self.env.execute_query(
                        SQL(
                            """SELECT pg_get_expr(adbin, adrelid) FROM pg_attrdef
                                 JOIN pg_attribute
                                   ON attrelid = adrelid AND attnum = adnum
                                WHERE attrelid = %s::regclass AND attname = %s""",
                            self.env[model]._table,
                            name,
                        )
                    )
                    self.assertTrue(stored)
                    value = self.env.execute_query(
                        SQL("SELECT %s", SQL(stored[0][0].replace("%", "%%")))
                    )
                    self.assertEqual(value[0][0], presets[name])

    def test_insert_that_does_not_know_our_columns(self):
        self.env.flush_all()
        columns = [
            name
            for (name,) in self.env.execute_query(
                SQL(
                    "SELECT attname FROM pg_attribute WHERE attrelid = 'loyalty_program'::regclass "
                    "AND attnum > 0 AND NOT attisdropped AND attname NOT LIKE 'lifecycle%%' "
                    "AND attname != 'id'"
                )
            )
        ]
        program = self.env["loyalty.program"].create({"name": "Q", "program_type": "loyalty"})
        self.env.flush_all()
        names = SQL(", ").join(SQL.identifier(name) for name in columns)
        [(new_id,)] = self.env.execute_query(
            SQL(
                "INSERT INTO loyalty_program (%s) SELECT %s FROM loyalty_program WHERE id = %s "
                "RETURNING id",
                names,
                names,
                program.id,
            )
        )
        self.assertEqual(
            self.env["loyalty.program"].browse(new_id).lifecycle_reminder, "email"
        )
