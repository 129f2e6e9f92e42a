import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { HelpTip } from "@customer_lifecycle/tools/help_tip/help_tip";
import { changeOf, formatCount, formatMoney, formatShare } from "./overview_format";

/** The figures above all else, each with its change and its customers. */
export class OverviewTiles extends Component {
    static template = "customer_lifecycle.CustomersOverviewTiles";
    static components = { HelpTip };
    static props = {
        model: Object,
        data: Object,
        part: Object,
        history: Object,
        open: Function,
        openRevenue: Function,
    };

    get tiles() {
        return [
            this.revenue,
            this.active,
            this.fresh,
            this.wonBack,
            this.risk,
            this.lost,
            this.repeat,
            this.expected,
        ];
    }

    money(value) {
        return formatMoney(value, this.props.data.currency_id);
    }

    /** What comes with the purchases; undefined while they are being read. */
    get bought() {
        return this.props.part.data;
    }

    /**
     * Both changes of a number, in words and colours.
     *
     * @param {{now: number, before: number, year: number}} numbers
     */
    changes(numbers, polarity, format = formatCount) {
        const { before, year } = this.props.data.spans;
        const kinds = [["before", _t("since last period")]];
        if (String(before) !== String(year)) {
            kinds.push(["year", _t("since last year")]);
        }
        return kinds.map(([name, label]) => ({
            name,
            label,
            then: format(numbers[name]),
            ...changeOf(numbers.now, numbers[name], polarity),
        }));
    }

    // ----- TILES -----

    get revenue() {
        const numbers = this.bought?.revenue;
        return {
            name: "revenue",
            label: _t("Revenue"),
            value: numbers && this.money(numbers.now),
            changes: numbers && this.changes(numbers, 1, (value) => this.money(value)),
            open: () => this.props.openRevenue("revenue"),
        };
    }

    get active() {
        const numbers = this.bought?.active;
        return {
            name: "active",
            label: _t("Customers who ordered"),
            value: numbers && formatCount(numbers.now),
            changes: numbers && this.changes(numbers, 1),
            open: () => this.list(_t("Customers Who Ordered"), "active", { archived: true }),
        };
    }

    get fresh() {
        const { new: numbers, spans } = this.props.data;
        return {
            name: "new",
            label: _t("New customers"),
            help: _t("Their first order is in the period."),
            value: formatCount(numbers.now),
            changes: this.changes(numbers, 1),
            open: () =>
                this.props.open(
                    _t("New Customers"),
                    this.props.model.firstOrder(...spans.now),
                    "new",
                ),
        };
    }

    get wonBack() {
        const numbers = this.props.data.won_back;
        return {
            name: "won_back",
            label: _t("Won back"),
            help: _t("Were at risk or lost, and have ordered again in the period."),
            value: formatCount(numbers.now),
            changes: this.changes(numbers, 1),
            open: () => this.list(_t("Won Back"), "won_back"),
        };
    }

    get risk() {
        const { risk, risk_domain, risk_list } = this.props.data;
        const then = this.props.history.data?.risk;
        return {
            name: "risk",
            label: _t("At risk"),
            help: _t(
                "Customers in a stage that needs attention, today. The money is what they are " +
                    "expected to bring, times the chance that no order comes by itself within 30 " +
                    "days.",
            ),
            value: formatCount(risk.now),
            sub: _t("%s at risk", this.money(risk.money)),
            detail: _t("%s slipped in this period", formatCount(risk.slipped.now)),
            // how many there were then comes with the history
            changes: then ? this.changes({ now: risk.now, ...then }, -1) : [],
            open: () =>
                this.props.open(
                    _t("Customers at Risk"),
                    [...this.props.model.company, ...risk_domain],
                    "risk",
                    { listId: risk_list },
                ),
        };
    }

    get lost() {
        const numbers = this.props.data.lost;
        const money = this.bought?.lost_revenue;
        return {
            name: "lost",
            label: _t("Lost"),
            help: _t(
                "Customers who came to a stage that counts as lost, and what they bought in the " +
                    "12 months up to their last order.",
            ),
            value: formatCount(numbers.now),
            sub: money === undefined ? "" : _t("%s in their last year", this.money(money)),
            changes: this.changes(numbers, -1),
            open: () => this.list(_t("Lost Customers"), "lost"),
        };
    }

    get repeat() {
        const numbers = this.bought?.repeat;
        return {
            name: "repeat",
            label: _t("Repeat revenue"),
            help: _t("Revenue of orders after the day of a customer's first one."),
            value: numbers && this.money(numbers.now),
            sub: numbers && _t("%s of the revenue", this.share(numbers)),
            changes: numbers && this.changes(numbers, 1, (value) => this.money(value)),
            open: () => this.list(_t("Customers Who Ordered Again"), "repeat", { archived: true }),
        };
    }

    share(numbers) {
        return formatShare(numbers.now, this.bought.revenue.now);
    }

    get expected() {
        const { expected } = this.props.data;
        const known = expected.value !== false;
        return {
            name: "expected",
            label: expected.label,
            help: known
                ? _t(
                      "From the customers known today. In 8 of 10 cases between the two amounts, " +
                          "going by how far off the back-test was. %s",
                      expected.note,
                  )
                : expected.note,
            value: known ? this.money(expected.value) : _t("Not known yet"),
            sub: known
                ? _t("%(low)s to %(high)s", {
                      low: this.money(expected.low),
                      high: this.money(expected.high),
                  })
                : "",
            detail: known && expected.is_margin ? _t("as margin") : "",
            changes: [],
            open: () =>
                this.props.open(
                    expected.label,
                    [...this.props.model.company, ["clv_predicted", ">", 0]],
                    "expected",
                ),
        };
    }

    list(name, cell, options) {
        this.props.open(name, this.props.model.cell(cell), cell, options);
    }
}
