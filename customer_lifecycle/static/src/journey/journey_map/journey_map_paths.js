import { Component } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatCount, formatMoney, formatShare } from "./journey_map_format";

/** The most frequent ways to a first order, or into a loss. */
export class JourneyMapPaths extends Component {
    static template = "customer_lifecycle.JourneyMapPaths";
    static props = {
        kind: String,
        model: Object,
        part: Object,
        currencyId: Number,
        open: Function,
    };

    setup() {
        Object.assign(this, { formatCount, formatShare });
        this.steps = [6, 5, 4, 3, 2, 1];
    }

    get data() {
        return this.props.part.data;
    }

    get title() {
        return this.props.kind === "order"
            ? _t("What led to a first order")
            : _t("What came before a loss");
    }

    get eventName() {
        return this.props.kind === "order" ? _t("First order") : _t("Lost");
    }

    get emptyText() {
        return this.props.kind === "order"
            ? _t("Nobody ordered for the first time in this period.")
            : _t("Nobody was lost in this period.");
    }

    /** How many customers this is about, and of how many the ways were compared. */
    get sentence() {
        const { looked_at, total, unknown } = this.data;
        const parts = [this.numberText(total)];
        if (looked_at < total) {
            parts.push(
                _t(
                    "The ways of %s of them were compared, always the same, drawn by chance.",
                    formatCount(looked_at),
                ),
            );
        }
        if (unknown) {
            parts.push(_t("Without any touchpoint before: %s.", formatCount(unknown)));
        }
        return parts.join(" ");
    }

    numberText(number) {
        const one = number === 1;
        if (this.props.kind === "order") {
            return one
                ? _t("1 customer ordered for the first time.")
                : _t("%s customers ordered for the first time.", formatCount(number));
        }
        return one
            ? _t("1 customer was lost.")
            : _t("%s customers were lost.", formatCount(number));
    }

    get othersText() {
        return _t("By other ways: %s.", formatCount(this.data.others));
    }

    stepOf(step) {
        if (typeof step === "string") {
            return { name: this.data.lanes[step] || step, icon: false, sentiment: "neutral" };
        }
        return this.data.sources.find((source) => source.id === step);
    }

    pathName(path) {
        return [...path.steps.map((step) => this.stepOf(step).name), this.eventName].join(" → ");
    }

    daysText({ median_days }) {
        return median_days === 1 ? _t("1 day") : _t("%s days", formatCount(median_days));
    }

    money(value) {
        return formatMoney(value, this.props.currencyId);
    }

    onSteps(ev) {
        this.props.model.chooseOptions({ steps: Number(ev.target.value) });
    }

    retry() {
        this.props.model.loadPaths();
    }

    openPath(path, index) {
        const domain = [["id", "in", path.profile_ids]];
        this.props.open(this.pathName(path), domain, `${this.props.kind}:${index}`);
    }
}
