import { Component, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { barOptions, useChart } from "@customer_lifecycle/tools/chart/use_chart";
import { stageColor } from "@customer_lifecycle/tools/stage_color/stage_color";
import { formatCount, formatMonth, lastDayOfMonth } from "./overview_format";

/** Who came and went by month, and how many stood in each stage at the end of it. */
export class OverviewHistory extends Component {
    static template = "customer_lifecycle.CustomersOverviewHistory";
    static props = { model: Object, data: Object, open: Function };

    setup() {
        this.moves = useRef("moves");
        this.stock = useRef("stock");
        this.formatCount = formatCount;
        this.formatMonth = formatMonth;
        useChart(this.moves, (theme) => this.movesConfig(theme));
        useChart(this.stock, (theme) => this.stockConfig(theme));
    }

    get data() {
        return this.props.data;
    }

    /** Months in reading order, the latest first, for the tables. */
    get rows() {
        return this.data.months
            .map((month, index) => ({ month, index, label: formatMonth(month) }))
            .reverse();
    }

    /** Kinds of movements: label, whether it is above the line, and the stage whose colour it has. */
    get kinds() {
        const { stages } = this.data;
        const colorOf = (found) => stages.find(found)?.color || 0;
        return [
            {
                name: "new",
                label: _t("New"),
                sign: 1,
                color: colorOf(({ kind }) => kind === "good"),
            },
            {
                name: "won_back",
                label: _t("Won back"),
                sign: 1,
                color: colorOf(({ after_order }) => after_order),
            },
            {
                name: "risk",
                label: _t("At risk"),
                sign: -1,
                color: colorOf(({ kind }) => kind === "risk"),
            },
            {
                name: "lost",
                label: _t("Lost"),
                sign: -1,
                color: colorOf(({ kind }) => kind === "lost"),
            },
        ];
    }

    openMonth(kind, index) {
        const start = this.data.months[index];
        const end = lastDayOfMonth(start);
        const { model } = this.props;
        const domain =
            kind.name === "new" ? model.firstOrder(start, end) : model.moved(kind.name, start, end);
        const name = `${kind.label}, ${formatMonth(start)}`;
        this.props.open(name, domain, `${kind.name}_${index}`);
    }

    openStage(stage) {
        const domain = [...this.props.model.company, ["stage_id", "=", stage.id]];
        this.props.open(stage.name, domain, `stage_${stage.id}`);
    }

    // ----- CHARTS -----

    options(theme, formatValue) {
        const options = barOptions(theme, { formatValue, stacked: true });
        Object.assign(options.scales.x.ticks, { maxRotation: 0, autoSkipPadding: 12 });
        options.scales.y.ticks.precision = 0;
        options.plugins.tooltip.filter = ({ raw }) => raw !== 0;
        return options;
    }

    movesConfig(theme) {
        const { data, kinds } = this;
        const options = this.options(theme, (value) => formatCount(Math.abs(value)));
        options.plugins.tooltip.callbacks = {
            label: ({ dataset, raw }) => `${dataset.label}: ${formatCount(Math.abs(raw))}`,
        };
        options.onClick = (event, _elements, chart) => {
            const [element] = chart.getElementsAtEventForMode(
                event,
                "nearest",
                { intersect: true },
                false,
            );
            if (element) {
                this.openMonth(kinds[element.datasetIndex], element.index);
            }
        };
        return {
            type: "bar",
            data: {
                labels: data.months.map(formatMonth),
                datasets: kinds.map((kind) => ({
                    label: kind.label,
                    data: data.movements[kind.name].map((count) => kind.sign * count),
                    backgroundColor: stageColor(kind.color, this.moves.el.parentElement),
                })),
            },
            options,
        };
    }

    stockConfig(theme) {
        const { data } = this;
        const options = this.options(theme, formatCount);
        options.plugins.tooltip.callbacks = {
            label: ({ dataset, raw }) => `${dataset.label}: ${formatCount(raw)}`,
        };
        return {
            type: "bar",
            data: {
                labels: data.months.map(formatMonth),
                datasets: data.stages.map((stage) => ({
                    label: stage.name,
                    data: data.stock[stage.id],
                    backgroundColor: stageColor(stage.color, this.stock.el.parentElement),
                    barPercentage: 1,
                    categoryPercentage: 0.9,
                })),
            },
            options,
        };
    }
}
