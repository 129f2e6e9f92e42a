import { Component, onMounted, useRef } from "@odoo/owl";
import { Domain } from "@web/core/domain";
import { _t } from "@web/core/l10n/translation";
import { download } from "@web/core/network/download";
import { useService } from "@web/core/utils/hooks";
import { formatPercentage } from "@web/views/fields/formatters";
import { ActionHelper } from "@web/views/action_helper";
import {
    formatCount,
    formatMoney,
} from "@customer_lifecycle/journey/journey_map/journey_map_format";
import {
    averages,
    cellValue,
    columnCount,
    lastKnown,
    measuresOf,
    strengthOf,
} from "./cohort_measures";
import { INTERVALS } from "./cohort_model";

const MOVES = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Customers by the time of their first order, and how they stayed, as a coloured table. */
export class Cohort extends Component {
    static template = "customer_lifecycle.Cohort";
    static components = { ActionHelper };
    static props = {
        model: Object,
        noContentHelp: { type: [String, { value: false }], optional: true },
    };

    setup() {
        this.action = useService("action");
        this.root = useRef("root");
        this.formatCount = formatCount;
        const labels = { month: _t("By month"), quarter: _t("By quarter"), year: _t("By year") };
        this.intervals = INTERVALS.map((name) => ({ name, label: labels[name] }));
        onMounted(() => this.focusAgain());
    }

    get model() {
        return this.props.model;
    }

    get data() {
        return this.model.data;
    }

    get measures() {
        return measuresOf(this.data || {});
    }

    get measure() {
        const { measures } = this;
        return measures.find(({ name }) => name === this.model.options.measure) || measures[0];
    }

    // ----- THE TABLE -----

    get columns() {
        return Array.from({ length: columnCount(this.data.cohorts) }, (_, period) => period);
    }

    get rows() {
        const { cohorts } = this.data;
        const { name, isShare } = this.measure;
        const valuesOf = (cohort) => cohort.periods.map((_, k) => cellValue(cohort, k, name));
        const rows = cohorts.map((cohort) => ({ cohort, values: valuesOf(cohort) }));
        const highest = Math.max(0, ...rows.flatMap(({ values }) => values));
        return rows.map(({ cohort, values }, row) => ({
            cohort,
            cells: values.map((value, period) => ({
                value,
                key: `${row}:${period}`,
                complete: cohort.periods[period].complete,
                strength: value === null ? 0 : strengthOf(value, isShare, highest),
            })),
        }));
    }

    get averages() {
        return averages(this.data.cohorts, this.measure.name);
    }

    format(value) {
        if (value === null || value === undefined) {
            return "";
        }
        return this.measure.isShare
            ? formatPercentage(value, { digits: [16, 0] })
            : formatMoney(value, this.data.currency_id);
    }

    styleOf({ strength }) {
        return `--strength: ${Math.round(4 + 44 * strength)}%`;
    }

    // ----- WORDS -----

    get columnsLabel() {
        return {
            month: _t("Months after the month of the first order"),
            quarter: _t("Quarters after the quarter of the first order"),
            year: _t("Years after the year of the first order"),
        }[this.data.interval];
    }

    get sentence() {
        const { cohorts, interval, currency_id } = this.data;
        const ordered = averages(cohorts, "ordered");
        const number = lastKnown(cohorts);
        if (!number) {
            return _t("How customers stay shows once the period after their first order is over.");
        }
        const money = averages(cohorts, "revenue_so_far")[number];
        const values = {
            next: formatCount(Math.round(100 * ordered[1])),
            later: formatCount(Math.round(100 * ordered[number])),
            number: formatCount(number),
            money: formatMoney(money, currency_id),
        };
        return {
            month: _t(
                "Of 100 new customers, %(next)s order in the first month after and %(later)s in month %(number)s; each brings %(money)s by then.",
                values,
            ),
            quarter: _t(
                "Of 100 new customers, %(next)s order in the first quarter after and %(later)s in quarter %(number)s; each brings %(money)s by then.",
                values,
            ),
            year: _t(
                "Of 100 new customers, %(next)s order in the first year after and %(later)s in year %(number)s; each brings %(money)s by then.",
                values,
            ),
        }[interval];
    }

    cellText(cohort, period, cell) {
        const values = {
            cohort: cohort.label,
            period,
            measure: this.measure.label,
            value: this.format(cell.value),
        };
        return cell.complete
            ? _t("First order %(cohort)s, period %(period)s, %(measure)s: %(value)s", values)
            : _t(
                  "First order %(cohort)s, period %(period)s, %(measure)s: %(value)s so far",
                  values,
              );
    }

    get filterText() {
        return this.env.searchModel?.facets?.some(({ type }) => type !== "groupBy");
    }

    // ----- KEYBOARD -----

    /** One number of the table can be tabbed to; the arrow keys go on from there. */
    isStart(key) {
        return key === (this.model.focus || "0:0");
    }

    onKeydown(ev) {
        const key = ev.target.dataset?.cell;
        if (!key || !MOVES[ev.key]) {
            return;
        }
        const rtl = getComputedStyle(this.root.el).direction === "rtl" ? -1 : 1;
        const [row, period] = key.split(":").map(Number);
        const [down, right] = MOVES[ev.key];
        const next = this.cellElement(`${row + down}:${period + right * rtl}`);
        if (next) {
            ev.target.tabIndex = -1;
            next.tabIndex = 0;
            next.focus();
        }
        ev.preventDefault();
    }

    cellElement(key) {
        return this.root.el.querySelector(`[data-cell="${key}"]`);
    }

    focusAgain() {
        if (this.model.focus) {
            this.cellElement(this.model.focus)?.focus();
            this.model.focus = null;
        }
    }

    // ----- CUSTOMERS -----

    /** Open the customers behind a number; back returns to this very number. */
    open(cohort, period = null, key = null) {
        this.model.focus = key;
        const name =
            period === null || this.measure.name.endsWith("_so_far")
                ? _t("First order %s", cohort.label)
                : _t("First order %(cohort)s, period %(period)s", {
                      cohort: cohort.label,
                      period,
                  });
        this.action.doAction({
            type: "ir.actions.act_window",
            name,
            res_model: "lifecycle.profile",
            views: [
                [false, "list"],
                [false, "kanban"],
            ],
            domain: Domain.and([
                this.model.domain,
                // what is shown, not what was wished: a company may not know that measure
                this.model.domainOf(this.measure.name, cohort, period),
            ]).toList(),
        });
    }

    // ----- EXPORT -----

    /** What Odoo's own export of pivot tables writes into a spreadsheet. */
    exportData() {
        const { columns, measure } = this;
        const row = (title, values, isBold = false) => ({
            title,
            indent: 0,
            values: values.map((value) => ({ value: value ?? "", is_bold: isBold })),
        });
        return {
            title: _t("Cohorts"),
            model: "lifecycle.profile",
            measure_count: 1,
            col_group_headers: [[{ title: measure.label, width: columns.length + 1, height: 1 }]],
            measure_headers: [_t("Customers"), ...columns].map((title) => ({
                title: String(title),
                is_bold: false,
            })),
            rows: [
                ...this.rows.map(({ cohort, cells }) =>
                    row(cohort.label, [cohort.size, ...cells.map(({ value }) => value)]),
                ),
                row(_t("Average"), [this.total, ...this.averages], true),
            ],
        };
    }

    get total() {
        return this.data.cohorts.reduce((sum, { size }) => sum + size, 0);
    }

    download() {
        const data = new Blob([JSON.stringify(this.exportData())], { type: "application/json" });
        return download({ url: "/web/pivot/export_xlsx", data: { data } });
    }
}
