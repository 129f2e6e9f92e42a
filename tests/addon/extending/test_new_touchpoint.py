"""A new touchpoint takes one record of data: ``new_touchpoint.xml``, for the tickets of a helpdesk.

It names the model, the paths to customer and date, and what a line of the journey says; another
add-on lists the file under ``data`` in its manifest. The source waits until the model is
installed, is read with the rights of whoever looks at a journey, and is found in its filters.
"""

from pathlib import Path

from odoo import fields
from odoo.fields import Command
from odoo.tools import convert_xml_import

from ..journey.test_journey import JourneyCase


class TestNewTouchpoint(JourneyCase):
    def test_tickets_of_a_helpdesk(self):
        with Path(__file__).with_name("new_touchpoint.xml").open("rb") as file:
            convert_xml_import(self.env, "customer_lifecycle", file)
        source = self.source("ticket")
        self.assertEqual(source.state, "asleep")
        self.install_helpdesk()
        self.env["x_helpdesk_ticket"].create(
            [
                {"x_name": "Grinder is loud", "x_partner_id": self.contact.id,
                 "x_closed": fields.Datetime.now()},
                {"x_name": "Still open", "x_partner_id": self.contact.id},
            ]
        )
        source.invalidate_recordset()
        self.assertEqual(source.state, "ready", source.state_message)
        self.assertEqual(self.titles(), ["Ticket: Grinder is loud"])
        self.assertIn(source.id, [one["id"] for one in self.journey()["sources"]])

    def install_helpdesk(self):
        kinds = {"x_name": "char", "x_partner_id": "many2one", "x_closed": "datetime"}
        self.env["ir.model"].create(
            {
                "name": "Helpdesk Ticket",
                "model": "x_helpdesk_ticket",
                "field_id": [
                    Command.create(
                        {"name": name, "ttype": kind, "field_description": name,
                         "relation": "res.partner" if kind == "many2one" else False}
                    )
                    for name, kind in kinds.items()
                ],
            }
        )
