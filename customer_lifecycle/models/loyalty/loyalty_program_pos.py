"""Answers to the till: which programs a customer may use, his factor, his company's card.

In: the till's programs, and the customer of an order there. Out: programs marked as restricted
when the till is opened, an answer for each customer, and the factor in the card's history.
Called by the point of sale: when it loads its data, when an order changes, and after paying.
"""

from odoo import api, models
from odoo.tools import float_compare


class LoyaltyProgram(models.Model):
    """What the till asks, where the point of sale has its loyalty app."""

    # the point of sale is a subject of its own
    _inherit = "loyalty.program"  # pylint: disable=consider-merging-classes-inherited

    @api.model
    def _load_pos_data_read(self, records, config):
        """Mark the programs with conditions: the till keeps to them offline as well.

        Called by the point of sale alone, whose mixin comes after this class.
        """
        rows = super()._load_pos_data_read(records, config)
        nobody = self._lifecycle_refused(self.env["res.partner"], config.company_id)
        for row in rows:
            row["_lifecycle_restricted"] = row["id"] in nobody
        return rows

    @api.model
    def lifecycle_pos_customer(self, config_id, partner_id):
        """What a till has to know about a customer, or about nobody.

        :param partner_id: contact that the order is for; 0 or False: nobody
        :return: dict of ``refused``, ids of programs whose conditions are not met; ``times``, by
            program what the points are multiplied by; and ``cards``, by program the card of the
            customer's company where he has none of his own
        """
        config = self.env["pos.config"].browse(config_id)
        partner = self.env["res.partner"].browse(partner_id or [])
        config.check_access("read")
        partner.check_access("read")
        company, customer = config.company_id, partner.commercial_partner_id
        programs = config._get_program_ids()
        refused = self._lifecycle_refused(customer, company) & set(programs.ids)
        answer = {"refused": sorted(refused), "times": {}, "cards": {}}
        for program in programs if partner else programs.browse():
            if program.id in refused or program.program_type != "loyalty":
                continue
            if multiplier := program._lifecycle_multiplier(customer, company):
                answer["times"][program.id] = multiplier.factor
            card = self.env["loyalty.card"]._lifecycle_find(program, partner)
            if card and card.partner_id != partner:
                answer["cards"][program.id] = card.id
        return answer

    @api.model
    def lifecycle_pos_explain(self, order_id, times):
        """Say in the history of cards by which factor a till has multiplied points.

        :param order_id: order of the point of sale, which has its points already
        :param times: dict of the factor by program, as the till has used it
        """
        order = self.env["pos.order"].browse(order_id)
        order.check_access("read")
        # sudo: whoever sells may not write histories; the text is made here, from what is stored
        lines = self.env["loyalty.history"].sudo().search(
            [
                ("order_model", "=", order._name),
                ("order_id", "=", order.id),
                ("issued", ">", 0),
            ]
        )
        customer = order.partner_id.commercial_partner_id
        for line in lines:
            program = line.card_id.program_id
            used = times.get(str(program.id), 0)
            multiplier = program._lifecycle_multiplier(customer, order.company_id)
            # the tier may be another one since the till has asked
            if multiplier and not float_compare(multiplier.factor, used, precision_digits=2):
                line._lifecycle_explain(order.display_name, multiplier)
