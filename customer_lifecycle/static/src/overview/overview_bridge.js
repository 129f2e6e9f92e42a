import { Component, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatPeriod } from "@customer_lifecycle/journey/journey/journey_format";
import { barOptions, useChart } from "@customer_lifecycle/tools/chart/use_chart";
import { HelpTip } from "@customer_lifecycle/tools/help_tip/help_tip";
import { formatCount, formatExact, formatMoney, formatSigned } from "./overview_format";

/** The way from the revenue of the former period to that of this one, as bars and as a table. */
export class OverviewBridge extends Component {
    static template = "customer_lifecycle.CustomersOverviewBridge";
    static components = { HelpTip };
    static props = {
        model: Object,
        data: Object,
        part: Object,
        open: Function,
        openRevenue: Function,
    };

    setup() {
        this.canvas = useRef("canvas");
        this.formatCount = formatCount;
        useChart(this.canvas, (theme) => this.config(theme));
    }

    get against() {
        return this.hasYear ? this.props.model.options.against : "before";
    }

    get hasYear() {
        const { before, year } = this.props.data.spans;
        return String(before) !== String(year);
    }

    get bridge() {
        return this.props.part.data?.bridge[this.against];
    }

    get choices() {
        return [
            { name: "before", label: _t("Last period") },
            { name: "year", label: _t("A year ago") },
        ];
    }

    get texts() {
        return {
            new: [
                _t("New customers"),
                _t("Bought for the first time since the former period began."),
            ],
            back: [
                _t("Came back"),
                _t("Bought before the former period, not in it, and now again."),
            ],
            lost: [
                _t("Did not order"),
                _t("Bought in the former period and not in this one: lost, or not due yet."),
            ],
            frequency: [
                _t("How often"),
                _t("Of who bought in both periods: more or fewer orders, at the usual value."),
            ],
            basket: this.bridge.knows_prices
                ? [
                      _t("Basket"),
                      _t("Of who bought in both periods: more, fewer or other goods in an order."),
                  ]
                : [
                      _t("Order value"),
                      _t(
                          "Of who bought in both periods: larger or smaller orders, before returns.",
                      ),
                  ],
            price: [
                _t("Prices"),
                _t("Of who bought in both periods: what the same goods cost more or less."),
            ],
            returns: [
                _t("Returns"),
                _t("What was credited or given back, compared with the former period."),
            ],
        };
    }

    money(value) {
        return formatMoney(value, this.props.data.currency_id);
    }

    signed(value) {
        return formatSigned(value, this.props.data.currency_id, formatExact);
    }

    exact(value) {
        return formatExact(value, this.props.data.currency_id);
    }

    get periods() {
        const { spans } = this.props.data;
        return {
            from: formatPeriod(...spans[this.against]),
            to: formatPeriod(...spans.now),
        };
    }

    get rows() {
        return this.bridge.parts.map((part) => {
            const [label, help] = this.texts[part.name];
            return { ...part, label, help, cell: `${this.against}_${part.name}` };
        });
    }

    /** The difference in one sentence. */
    get sentence() {
        const { from, to } = this.bridge;
        const values = { amount: this.money(Math.abs(to - from)), to: this.money(to) };
        if (to > from) {
            return _t("%(to)s, %(amount)s more than in the former period.", values);
        }
        return to < from
            ? _t("%(to)s, %(amount)s less than in the former period.", values)
            : _t("%(to)s, the same as in the former period.", values);
    }

    get isEmpty() {
        const { from, to, parts } = this.bridge;
        return !from && !to && !parts.some((part) => part.amount);
    }

    openRow(row) {
        this.props.open(row.label, this.props.model.cell(row.cell), `bridge_${row.name}`, {
            archived: true,
        });
    }

    // ----- CHART -----

    /** Each bar from where the one before it ended. */
    get bars() {
        const { from, to } = this.bridge;
        const bars = [{ label: _t("Former period"), ends: [0, from], amount: from }];
        let level = from;
        for (const row of this.rows) {
            bars.push({
                label: row.label,
                ends: [level, level + row.amount],
                amount: row.amount,
                row,
            });
            level += row.amount;
        }
        bars.push({ label: _t("This period"), ends: [0, to], amount: to });
        return bars;
    }

    config(theme) {
        const { bars } = this;
        const style = getComputedStyle(this.canvas.el);
        const color = (name) => style.getPropertyValue(`--overview-${name}`).trim();
        const options = barOptions(theme, {
            formatValue: (value) => this.money(value),
            legend: false,
        });
        options.plugins.tooltip.callbacks = {
            label: ({ dataIndex }) => {
                const { row, amount } = bars[dataIndex];
                return row ? this.signed(amount) : this.exact(amount);
            },
        };
        // side by side in words of a line each; on a telephone they stand on end
        const narrow = this.canvas.el.parentElement.clientWidth < 480;
        const turned = narrow ? { minRotation: 90, maxRotation: 90 } : { maxRotation: 0 };
        Object.assign(options.scales.x.ticks, { autoSkip: false, ...turned });
        options.onClick = (_event, [element]) => {
            if (element) {
                const { row } = bars[element.index];
                return row ? this.openRow(row) : this.props.openRevenue("bridge_total");
            }
        };
        options.onHover = (event, [element]) => {
            event.native.target.style.cursor = element ? "pointer" : "default";
        };
        return {
            type: "bar",
            data: {
                labels: bars.map(({ label }) => (narrow ? label : label.split(" "))),
                datasets: [
                    {
                        data: bars.map(({ ends }) => ends),
                        backgroundColor: bars.map(({ row, amount }) =>
                            color(row ? (amount < 0 ? "down" : "up") : "total"),
                        ),
                        maxBarThickness: 56,
                        minBarLength: 2,
                        // so that losses are not rounded at their wrong end
                        borderSkipped: false,
                    },
                ],
            },
            options,
        };
    }
}
