import { Component, useRef } from "@odoo/owl";
import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { deserializeDate } from "@web/core/l10n/dates";
import { getColor } from "@web/core/colors/colors";
import { barOptions, stripes, useChart } from "@customer_lifecycle/tools/chart/use_chart";

/** Value of a customer by calendar year: earned, and on top of it what is expected. */
export class YearChart extends Component {
    static template = "customer_lifecycle.YearChart";
    static props = {
        years: {
            type: Array,
            element: {
                type: Object,
                shape: {
                    year: Number,
                    earned: Number,
                    expected: Number,
                    until: [String, Boolean],
                },
            },
        },
        currencyId: Number,
        title: String,
    };

    setup() {
        this.canvas = useRef("canvas");
        useChart(this.canvas, (theme) => this.config(theme));
    }

    get hasForecast() {
        return this.props.years.some((year) => year.expected);
    }

    get rows() {
        return this.props.years.map((year) => ({
            key: year.year,
            label: this.label(year).join(" "),
            earned: this.money(year.earned),
            expected: this.money(year.expected),
        }));
    }

    money(value) {
        return formatCurrency(value, this.props.currencyId, { digits: [16, 0] });
    }

    label({ year, until }) {
        if (!until) {
            return [String(year)];
        }
        const day = deserializeDate(until).toLocaleString({ day: "numeric", month: "short" });
        return [String(year), _t("until %s", day)];
    }

    config(theme) {
        const { years } = this.props;
        const color = getColor(0, "light", "sm");
        const options = barOptions(theme, {
            formatValue: (value) => this.money(value),
            stacked: true,
            legend: this.hasForecast,
        });
        // a few years fit side by side even on a telephone; many are thinned out
        Object.assign(options.scales.x.ticks, { autoSkip: years.length > 8, maxRotation: 0 });
        options.plugins.tooltip.callbacks = {
            label: ({ dataset, raw }) => `${dataset.label}: ${this.money(raw)}`,
        };
        options.plugins.tooltip.filter = ({ raw }) => raw !== 0;
        const datasets = [
            {
                label: _t("Earned"),
                data: years.map((year) => year.earned),
                backgroundColor: color,
                maxBarThickness: 64,
            },
        ];
        if (this.hasForecast) {
            datasets.push({
                label: _t("Expected"),
                data: years.map((year) => year.expected),
                backgroundColor: stripes(color),
                borderColor: color,
                borderWidth: 1,
                maxBarThickness: 64,
            });
        }
        return {
            type: "bar",
            data: { labels: years.map((year) => this.label(year)), datasets },
            options,
        };
    }
}
