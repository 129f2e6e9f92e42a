import { Component, useRef } from "@odoo/owl";
import { getColor } from "@web/core/colors/colors";
import { _t } from "@web/core/l10n/translation";
import { registry } from "@web/core/registry";
import { formatFloat } from "@web/views/fields/formatters";
import { standardFieldProps } from "@web/views/fields/standard_field_props";
import { barOptions, stripes, useChart } from "@customer_lifecycle/tools/chart/use_chart";

/** What the model would have predicted for a past period, next to what happened. */
export class BacktestField extends Component {
    static template = "customer_lifecycle.BacktestField";
    static props = { ...standardFieldProps };

    setup() {
        this.canvas = useRef("canvas");
        useChart(this.canvas, (theme) => this.config(theme));
        useChart(useRef("chances"), (theme) => this.chancesConfig(theme));
    }

    get backtest() {
        return this.props.record.data[this.props.name];
    }

    get deciles() {
        return this.backtest.deciles.map((decile, index) => ({ ...decile, number: index + 1 }));
    }

    /** Tenths of the customers by their chance, least likely first; none in older fits. */
    get chances() {
        return [...(this.backtest.reliability || [])].reverse().map((part, index) => ({
            ...part,
            number: index + 1,
        }));
    }

    get chancesSummary() {
        const { methods, month } = this.backtest;
        const error = methods.product.calibration_error;
        if (error === null || error === undefined) {
            return "";
        }
        const points = this.number(error, 1);
        return month
            ? _t(
                  "A chance of an order was off by %(points)s points on average. Within 30 days %(said)s of the customers were expected to order, %(came)s did.",
                  {
                      points,
                      said: `${this.number(month.predicted_pct, 1)}%`,
                      came: `${this.number(month.actual_pct, 1)}%`,
                  },
              )
            : _t("A chance of an order was off by %s points on average.", points);
    }

    percent(share) {
        return `${this.number(100 * share, 0)}%`;
    }

    get summary() {
        const { n_customers, calibration_end, holdout_end, methods } = this.backtest;
        const days = holdout_end - calibration_end;
        const bias = methods.product.bias_pct;
        if (bias === null) {
            return _t(
                "%(count)s customers; nobody ordered in the %(days)s days that were forecast.",
                { count: n_customers, days },
            );
        }
        const values = { count: n_customers, days, error: this.number(Math.abs(bias), 0) };
        return bias < 0
            ? _t(
                  "%(count)s customers, %(days)s days forecast from what was known before: the total was %(error)s % too low.",
                  values,
              )
            : _t(
                  "%(count)s customers, %(days)s days forecast from what was known before: the total was %(error)s % too high.",
                  values,
              );
    }

    get methods() {
        const labels = {
            product: _t("What is shown"),
            model: _t("The fitted model alone"),
            model_k1: _t("The model with orders at random"),
            past_rate: _t("Each customer's past rate"),
            same_as_last_period: _t("Same as in the last period"),
        };
        const { methods } = this.backtest;
        return Object.entries(labels)
            .filter(([name]) => methods[name])
            .map(([name, label]) => ({
                name,
                label,
                mae: this.number(methods[name].mae, 3),
                rmse: this.number(methods[name].rmse, 3),
                bias: this.number(methods[name].bias_pct, 1),
                top: this.number(methods[name].top_decile_pct, 0),
                auc: this.number(methods[name].auc, 3),
            }));
    }

    number(value, decimals = 2) {
        return value === null || value === undefined
            ? "–"
            : formatFloat(value, { digits: [16, decimals] });
    }

    chancesConfig(theme) {
        const color = getColor(0, "light", "sm");
        const percent = (value) => this.percent(value);
        const axis = (text) => ({
            type: "linear",
            min: 0,
            max: 1,
            ticks: { color: theme.text, callback: percent, stepSize: 0.25 },
            grid: { color: theme.grid },
            border: { display: false },
            title: { display: true, color: theme.text, text },
        });
        const options = barOptions(theme, { formatValue: percent });
        options.interaction = { mode: "nearest", intersect: false };
        options.scales = {
            x: { ...axis(_t("Chance that was said")), reverse: theme.rtl },
            y: {
                ...axis(_t("Share that ordered")),
                position: theme.rtl ? "right" : "left",
            },
        };
        options.plugins.tooltip.filter = ({ datasetIndex }) => datasetIndex === 0;
        options.plugins.tooltip.callbacks = {
            title: () => "",
            label: ({ raw }) =>
                _t("%(said)s said, %(came)s ordered (%(count)s customers)", {
                    said: percent(raw.x),
                    came: percent(raw.y),
                    count: raw.customers,
                }),
        };
        return {
            type: "scatter",
            data: {
                datasets: [
                    {
                        label: _t("A tenth of the customers"),
                        data: this.chances.map(({ predicted, actual, customers }) => ({
                            x: predicted,
                            y: actual,
                            customers,
                        })),
                        backgroundColor: color,
                        borderColor: color,
                        pointRadius: 5,
                        pointHoverRadius: 7,
                        // nobody, or everybody, is a point at the edge
                        clip: false,
                    },
                    {
                        type: "line",
                        label: _t("As often as said"),
                        data: [
                            { x: 0, y: 0 },
                            { x: 1, y: 1 },
                        ],
                        borderColor: theme.text,
                        borderDash: [4, 4],
                        borderWidth: 1,
                        pointRadius: 0,
                    },
                ],
            },
            options,
        };
    }

    config(theme) {
        const color = getColor(0, "light", "sm");
        const options = barOptions(theme, { formatValue: (value) => this.number(value, 1) });
        options.scales.x.title = {
            display: true,
            color: theme.text,
            text: _t("Tenths of the customers, best first"),
        };
        options.scales.y.title = {
            display: true,
            color: theme.text,
            text: _t("Orders per customer"),
        };
        options.plugins.tooltip.callbacks = {
            label: ({ dataset, raw }) => `${dataset.label}: ${this.number(raw)}`,
        };
        return {
            type: "bar",
            data: {
                labels: this.deciles.map((decile) => String(decile.number)),
                datasets: [
                    {
                        label: _t("Predicted"),
                        data: this.deciles.map((decile) => decile.predicted),
                        backgroundColor: stripes(color),
                        borderColor: color,
                        borderWidth: 1,
                    },
                    {
                        label: _t("Actual"),
                        data: this.deciles.map((decile) => decile.actual),
                        backgroundColor: color,
                    },
                ],
            },
            options,
        };
    }
}

export const backtestField = {
    component: BacktestField,
    displayName: _t("Back-test"),
    supportedTypes: ["json"],
};

registry.category("fields").add("lifecycle_backtest", backtestField);
