"""What the points of a confirmed order were given for, and what is left of it.

In: the order's lines, its invoices and credit notes, and the terms on which each card got its
points (kept on Odoo's ``sale.order.coupon.points`` when the order is confirmed, so that a rule,
factor or tier that changes later changes nothing of them). Out: the points that the order is worth
now. Called when an order is confirmed and by ``sale_order``, which books the difference.
"""

from collections import defaultdict

from odoo import api, fields, models
from odoo.fields import Domain
from odoo.tools import float_round

from ...tools.context import own, own_value

DOCUMENTS = ("out_invoice", "out_refund")
#: a credit line that gives less a piece than this share of the price is a reduction, no return
RETURNED = 0.99


class SaleOrderCouponPoints(models.Model):
    """Points that an order gave to a card, and on what terms."""

    _inherit = "sale.order.coupon.points"

    lifecycle_terms = fields.Json(readonly=True, copy=False)


class SaleOrder(models.Model):
    """What the points of an order were given for."""

    # each subject of quotations is in a file of its own
    _inherit = "sale.order"  # pylint: disable=consider-merging-classes-inherited

    def write(self, vals):
        """Look at the points once when all lines are written."""
        confirmed = self.filtered(lambda order: order.state == "sale")
        if "order_line" not in vals or not confirmed:
            return super().write(vals)
        settle = confirmed._lifecycle_before_change()
        result = super(SaleOrder, self.with_context(lifecycle_settle_later=own())).write(vals)
        settle()
        return result

    def _lifecycle_before_change(self):
        """Remember what the points of confirmed orders hang on, before lines change.

        :return: function to call afterwards, which lets the points follow
        """
        orders = self._lifecycle_with_points()
        orders._lifecycle_note_terms()
        out_of_reach = self._lifecycle_out_of_reach()

        def settle():
            reached = self.browse().union(
                *(order for order, programs in out_of_reach.items()
                  if order._lifecycle_reach(programs))
            )
            (orders | reached)._lifecycle_settle_points()

        return settle

    def _lifecycle_with_points(self):
        """Confirmed orders that gave points to loyalty cards or spent from them, to be settled."""
        if own_value(self.env, "lifecycle_settle_later"):
            return self.browse()
        return self.filtered(
            lambda order: order.state == "sale" and order.sudo()._lifecycle_loyalty_cards()
        )

    # ----- PROGRAMS THAT ARE REACHED LATER -----

    def _lifecycle_out_of_reach(self):
        """Programs under which confirmed orders have earned nothing, as below the minimum.

        :return: dict order → programs
        """
        if own_value(self.env, "lifecycle_settle_later"):
            return {}
        found = {}
        for order in self.sudo():
            if order.state != "sale" or order.partner_id.is_public:
                continue
            programs = self.env["loyalty.program"].sudo().search(
                Domain.AND(
                    [
                        order._get_program_domain(),
                        [("program_type", "=", "loyalty"), ("trigger", "=", "auto")],
                    ]
                )
            )
            programs = (programs - order.coupon_point_ids.coupon_id.program_id).filtered(
                lambda program, order=order: program.is_nominative
                # nobody has been promised points of a program that came later
                and program.create_date.replace(microsecond=0) <= order.date_order
                and not order._lifecycle_worth(program, order._lifecycle_rules(program), {})
            )
            if programs:
                found[order] = programs
        return found

    def _lifecycle_reach(self, programs):
        """Let the order give points under programs that it has come to meet; say whether it does.

        The points themselves are booked as every later change of the order.
        """
        self.ensure_one()
        reached = False
        for program in programs if self.exists() and self.state == "sale" else ():
            terms = self._lifecycle_rules(program)
            multiplier = self._lifecycle_times(program)
            terms["factor"] = multiplier.factor if multiplier else 1
            if self._lifecycle_worth(program, terms, {}) <= 0:
                continue
            cards = self.env["loyalty.card"].sudo()
            card = self._lifecycle_company_cards().sudo().filtered(
                lambda one, program=program: one.program_id == program
            )[:1] or cards.search(
                [("partner_id", "=", self.partner_id.id), ("program_id", "=", program.id)], limit=1
            )
            # as the loyalty app does when an order is confirmed
            card = card or cards.with_context(loyalty_no_mail=True, tracking_disable=True).create(
                {"program_id": program.id, "partner_id": self.partner_id.id, "points": 0,
                 "order_id": self.id}
            )
            self.env["sale.order.coupon.points"].sudo().create(
                {"order_id": self.id, "coupon_id": card.id, "points": 0, "lifecycle_terms": terms}
            )
            reached = True
        return reached

    # ----- TERMS -----

    def _lifecycle_note_terms(self, confirmed=False):
        """Keep the terms on which points are given, where they are not kept yet.

        :param confirmed: whether the order is being confirmed; what was invoiced and credited of
            it before, when it was confirmed and cancelled once already, does not count then
        """
        for order in self.sudo():
            entries = order.coupon_point_ids.filtered(
                lambda entry: not entry.lifecycle_terms
                and entry.coupon_id.program_type == "loyalty"
                and entry.coupon_id.program_id.is_nominative
            )
            for entry in entries:
                entry.lifecycle_terms = order._lifecycle_terms(entry, confirmed)

    def _lifecycle_rules(self, program):
        """Terms of a program as they are now, for an order that has got no points under it."""
        products = self.order_line.product_id
        valid = program._get_valid_products(products)
        return {
            "given": 0,
            "factor": 1,
            "products": products.ids,
            "documents": [],
            "rules": [
                {
                    "rule": rule.id,
                    "mode": rule.reward_point_mode,
                    "points": rule.reward_point_amount,
                    "minimum": rule._compute_amount(self.currency_id),
                    "tax": rule.minimum_amount_tax_mode,
                    "quantity": rule.minimum_qty,
                    "products": valid.get(rule, products.browse()).ids,
                }
                for rule in program.rule_ids
                if rule.mode == "auto" or rule in self.code_enabled_rule_ids
            ],
        }

    def _lifecycle_terms(self, entry, confirmed):
        program = entry.coupon_id.program_id
        terms = {
            **self._lifecycle_rules(program),
            "given": entry.points,
            "documents": self._lifecycle_documents().ids if confirmed else [],
        }
        worth = self._lifecycle_worth(program, terms, {})
        if worth:
            # with the tier's factor, and whatever else made them more or fewer
            terms["factor"] = entry.points / worth
        elif entry.points:
            terms.update(self._lifecycle_flat_terms(program, terms))
        else:
            multiplier = self._lifecycle_times(program)
            terms["factor"] = multiplier.factor if multiplier else 1
        return terms

    def _lifecycle_flat_terms(self, program, terms):
        """Terms of points that the program's rules do not explain: in proportion to the money."""
        rule = {
            "rule": False, "mode": "money", "points": 1, "minimum": 0, "tax": "incl",
            "quantity": 0, "products": terms["products"],
        }
        worth = self._lifecycle_worth(program, {**terms, "rules": [rule]}, {})
        if worth:
            return {"rules": [rule], "factor": terms["given"] / worth}
        return {"rules": [{**rule, "mode": "order", "points": terms["given"]}]}

    def _lifecycle_worth(self, program, terms, left):
        """Points of what is left of the order, on the terms on which they were given.

        As the loyalty app counts them when the order is confirmed.

        :param left: see ``_lifecycle_left``; a line that is not in it is there in full
        """
        lines = self.order_line - self._get_no_effect_on_threshold_lines()
        lines = lines.filtered(lambda line: line.product_id and not line.combo_item_id)
        found = program._get_valid_products(
            self.order_line.product_id.filtered(lambda one: one.id not in terms["products"])
        )
        points = 0.0
        for rule in terms["rules"]:
            products = set(rule["products"])
            for current, more in found.items():
                if current.id == rule["rule"]:
                    products.update(more.ids)
            theirs = lines.filtered(lambda line, ids=products: line.product_id.id in ids)
            taxed = rule["tax"] == "incl"
            reached = sum(
                self._lifecycle_line_amount(line, left, "price_total" if taxed else
                                            "price_subtotal")
                for line in theirs
                if not line._lifecycle_is_discount_of(program)
            )
            if self.currency_id.compare_amounts(rule["minimum"], reached) > 0:
                continue
            quantity = sum(
                line.product_uom_qty * left.get(line, (1, 1))[1]
                for line in self.order_line
                if line.product_id.id in products
                and not line.reward_id
                and not line.combo_item_id
            )
            if quantity < rule["quantity"] or not products:
                continue
            if rule["mode"] == "unit":
                points += rule["points"] * quantity
            elif rule["mode"] == "money":
                paid = sum(
                    self._lifecycle_line_amount(line, left, "price_total")
                    for line in theirs
                    if line.reward_id.program_id.program_type
                    not in ("ewallet", "gift_card", program.program_type)
                )
                points += float_round(
                    rule["points"] * paid, precision_digits=2, rounding_method="DOWN"
                )
            else:
                points += rule["points"]
        return points * terms["factor"]

    def _lifecycle_line_amount(self, line, left, name):
        return sum(one[name] * left.get(one, (1, 1))[0] for one in line._get_lines_with_price())

    # ----- WHAT IS LEFT -----

    def _lifecycle_left(self, ignored=()):
        """What is left of each line after credit notes: its amount's and its pieces' share.

        :param ignored: ids of documents that do not count
        :return: dict line → (share of its amount, share of its quantity), between 0 and 1, or
            more where more was delivered
        """
        lines = self.order_line.filtered(
            lambda line: not line.display_type and not line.is_downpayment
        )
        billed = self._lifecycle_billed(lines, set(ignored))
        return {line: self._lifecycle_line_left(line, billed.get(line, [])) for line in lines}

    def _lifecycle_is_gone(self, left):
        """Whether nothing that was paid for is left; delivery charges stay with the shop."""
        goods = [
            line
            for line in left
            if not line.reward_id and line not in self._get_no_effect_on_threshold_lines()
        ]
        return bool(goods) and not any(
            left[line][0] and (line.price_total or left[line][1]) and line.product_uom_qty
            for line in goods
        )

    def _lifecycle_line_left(self, line, billed):
        if not line.product_uom_qty:
            return 0.0, 0.0
        bought = line._lifecycle_bought_quantity(
            sum(number for _value, number, _again in billed if number > 0)
        )
        share = bought / line.product_uom_qty
        # a discount has negative amounts, which go the same way
        sign = -1 if line.price_total < 0 else 1
        total = sign * line.price_total * share
        price = line.price_total / line.product_uom_qty
        amounts, pieces = [], []
        amount = sum(value for value, _quantity, _again in billed if sign * value > 0)
        quantity = sum(number for value, number, _again in billed if sign * value > 0)
        scale = 1.0
        if amount and quantity >= bought:
            # billed for less than was ordered: what is credited is a share of that
            paid = amount / quantity
            if abs(paid) < abs(price):
                scale, price = price / paid, paid
        for value, number, again in billed:
            amounts.append((sign * value * scale, again))
            if not value or abs(value) >= abs(number * price) * RETURNED:
                pieces.append((number, again))
        kept = self._lifecycle_kept(total, amounts)
        if self.currency_id.is_zero(kept) and not self.currency_id.is_zero(total):
            return 0.0, 0.0
        return (
            kept / abs(line.price_total) if line.price_total else share,
            self._lifecycle_kept(bought, pieces) / line.product_uom_qty,
        )

    @api.model
    def _lifecycle_kept(self, total, billed):
        """What is left of a total that was invoiced and credited, oldest first.

        An invoice counts as new first; one that replaces a credit note, or that is larger than
        what was never invoiced, as invoicing again what was credited. A credit note first takes
        back what was invoiced beyond what is ordered now.

        :param billed: list of (amount, below nought where it is credited; whether it replaces)
        """
        fresh, over, credited = total, 0.0, 0.0
        for amount, again in billed:
            if amount < 0:
                back = min(over, -amount)
                over -= back
                credited += -amount - back
                continue
            renewed = min(amount if again else max(amount - fresh, 0.0), credited)
            credited -= renewed
            over += max(amount - renewed - fresh, 0.0)
            fresh = max(fresh - (amount - renewed), 0.0)
        return max(total - credited, 0.0)

    def _lifecycle_documents(self):
        """Invoices and credit notes of the order, oldest first."""
        invoices = self.order_line.invoice_lines.move_id
        refunds = self.env["account.move"].sudo().search(
            [("reversed_entry_id", "in", invoices.ids), ("move_type", "=", "out_refund")]
        ) if invoices else invoices
        return (invoices | refunds).filtered(
            lambda move: move.move_type in DOCUMENTS and move.state != "cancel"
        ).sorted("id")

    def _lifecycle_billed(self, lines, ignored):
        """What was invoiced and credited of each line, oldest first.

        Invoices that are still a draft count as well: they are about to replace something.

        :return: dict line → list of (amount, quantity, whether it replaces what was credited), in
            the order's currency and the line's unit, below nought where they are credited
        """
        billed = defaultdict(list)
        for move in self._lifecycle_documents():
            if move.id in ignored:
                continue
            sign = 1 if move.move_type == "out_invoice" else -1
            amounts = defaultdict(lambda: [0.0, 0.0])
            loose = 0.0
            for item in move.invoice_line_ids.filtered(lambda one: one.display_type == "product"):
                if not item.sale_line_ids:
                    loose += item.price_total
                for line in item.sale_line_ids & lines:
                    whole = sum(item.sale_line_ids.mapped("price_total"))
                    part = 1 if len(item.sale_line_ids) == 1 else (
                        line.price_total / whole if whole else 1 / len(item.sale_line_ids)
                    )
                    amounts[line][0] += sign * item.price_total * part
                    amounts[line][1] += sign * part * (
                        item.product_uom_id._compute_quantity(
                            item.quantity, line.product_uom_id, round=False
                        )
                        if item.product_uom_id and line.product_uom_id
                        else item.quantity
                    )
            if loose and move.move_type == "out_refund":
                # a sum without an order line: of all that the invoice was for
                for line, share in self._lifecycle_shares(move.reversed_entry_id, lines):
                    amounts[line][0] -= loose * share
            for line, (amount, quantity) in amounts.items():
                if move.state == "draft" and (sign < 0 or amount < 0):
                    continue
                if move.currency_id != self.currency_id:
                    if not all(
                        map(self.company_id._lifecycle_knows_rate,
                            move.currency_id | self.currency_id)
                    ):
                        # nobody knows what it is worth, as in every figure
                        continue
                    amount = move.currency_id._convert(
                        amount, self.currency_id, self.company_id, move.invoice_date or move.date
                    )
                billed[line].append((amount, quantity, move.lifecycle_reissue))
        return billed

    @api.model
    def _lifecycle_shares(self, invoice, lines):
        """Share of the order's lines in what an invoice was for."""
        items = invoice.invoice_line_ids.filtered(
            lambda one: one.display_type == "product" and one.sale_line_ids
        )
        whole = sum(items.mapped("price_total"))
        if not whole:
            return []
        return [
            (line, item.price_total / whole / len(item.sale_line_ids))
            for item in items
            for line in item.sale_line_ids & lines
        ]
