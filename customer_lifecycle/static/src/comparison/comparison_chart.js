import { Component, useRef } from "@odoo/owl";
import { getColor } from "@web/core/colors/colors";
import { formatCurrency } from "@web/core/currency";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { barOptions, useChart } from "@customer_lifecycle/tools/chart/use_chart";

/** Revenue of a customer by month before and after an event, of members and those compared with. */
export class ComparisonChart extends Component {
    static template = "customer_lifecycle.ComparisonChart";
    static props = { ...standardFieldProps };

    setup() {
        this.canvas = useRef("canvas");
        useChart(this.canvas, (theme) => this.config(theme));
    }

    get data() {
        return this.props.record.data[this.props.name];
    }

    get title() {
        return this.data.length === 7
            ? _t("Net revenue per customer and week")
            : _t("Net revenue per customer and month");
    }

    get names() {
        return this.data.is_date
            ? [_t("Customers"), _t("A year earlier")]
            : [_t("Members"), _t("Comparable customers")];
    }

    get eventName() {
        return this.data.is_date ? this.data.day : _t("Joined");
    }

    get rows() {
        const { numbers, members, compared } = this.data;
        return numbers.map((number, index) => ({
            key: number,
            label: this.label(number),
            members: this.money(members[index]),
            compared: this.money(compared[index]),
        }));
    }

    label(number) {
        return number > 0 ? `+${number}` : `−${-number}`;
    }

    money(value) {
        return formatCurrency(value || 0, this.data.currency_id, { digits: [16, 0] });
    }

    /** A line between the last period before and the first one after, with a name. */
    marker(theme) {
        return {
            id: "event",
            afterDatasetsDraw: (chart) => {
                const { ctx, chartArea, scales } = chart;
                const middle = this.data.numbers.findIndex((number) => number > 0);
                if (middle < 1) {
                    return;
                }
                const x =
                    (scales.x.getPixelForValue(middle - 1) + scales.x.getPixelForValue(middle)) / 2;
                ctx.save();
                ctx.strokeStyle = ctx.fillStyle = theme.text;
                ctx.setLineDash([4, 4]);
                ctx.beginPath();
                ctx.moveTo(x, chartArea.top);
                ctx.lineTo(x, chartArea.bottom);
                ctx.stroke();
                ctx.textAlign = "center";
                ctx.textBaseline = "bottom";
                ctx.fillText(this.eventName, x, chartArea.top - 4);
                ctx.restore();
            },
        };
    }

    config(theme) {
        const { numbers, members, compared } = this.data;
        const options = barOptions(theme, { formatValue: (value) => this.money(value) });
        options.layout = { padding: { top: 20 } };
        options.scales.x.title = {
            display: true,
            color: theme.text,
            text:
                this.data.length === 7
                    ? _t("Weeks before and after")
                    : _t("Months of 30 days before and after"),
        };
        Object.assign(options.plugins.legend.labels, { usePointStyle: true, pointStyle: "line" });
        options.plugins.tooltip.callbacks = {
            label: ({ dataset, raw }) => `${dataset.label}: ${this.money(raw)}`,
        };
        const line = (label, data, color, dash) => ({
            label,
            data,
            borderColor: color,
            backgroundColor: color,
            borderDash: dash,
            pointRadius: 3,
            tension: 0,
        });
        return {
            type: "line",
            data: {
                labels: numbers.map((number) => this.label(number)),
                datasets: [
                    line(this.names[0], members, getColor(0, "light", "sm"), []),
                    line(this.names[1], compared, getColor(1, "light", "sm"), [6, 4]),
                ],
            },
            options,
            plugins: [this.marker(theme)],
        };
    }
}

export const comparisonChart = {
    component: ComparisonChart,
    displayName: _t("Before and After"),
    supportedTypes: ["json"],
};

registry.category("fields").add("lifecycle_comparison_chart", comparisonChart);
