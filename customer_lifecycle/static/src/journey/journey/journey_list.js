import { Component, onMounted, onWillUnmount, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { formatAmount, formatDay, formatMonth, formatTime, momentOf } from "./journey_format";

/** All touchpoints in words, newest first, grouped by month; more are read while scrolling. */
export class JourneyList extends Component {
    static template = "customer_lifecycle.JourneyList";
    static props = { model: Object, open: Function };

    setup() {
        this.end = useRef("end");
        this.root = useRef("root");
        this.formatAmount = formatAmount;
        this.formatTime = formatTime;
        const observer = new IntersectionObserver(([entry]) => {
            if (entry.isIntersecting) {
                this.props.model.loadMore().then(() => this.observeAgain(observer));
            }
        });
        onMounted(() => {
            this.returnToPlace();
            observer.observe(this.end.el);
        });
        onWillUnmount(() => observer.disconnect());
    }

    /** A page that does not fill the screen leaves the end visible, of which nothing is told. */
    observeAgain(observer) {
        if (this.end.el && this.props.model.next) {
            observer.unobserve(this.end.el);
            observer.observe(this.end.el);
        }
    }

    returnToPlace() {
        const { returnTo } = this.props.model;
        const key = returnTo && JSON.stringify(returnTo);
        const rows = [...this.root.el.querySelectorAll(".o_lifecycle_row")];
        const row = key && rows.find((one) => one.dataset.key === key);
        if (row) {
            row.focus({ preventScroll: true });
            row.scrollIntoView({ block: "center" });
        }
        this.props.model.returnTo = null;
    }

    get months() {
        const { model } = this.props;
        const months = [];
        const { sources } = model;
        for (const item of model.items) {
            const moment = momentOf(item);
            const key = moment.toFormat("yyyy-MM");
            if (months.at(-1)?.key !== key) {
                months.push({ key, label: formatMonth(moment), rows: [] });
            }
            months.at(-1).rows.push({
                item,
                id: JSON.stringify(item.key),
                source: sources[item.key[1]] || {},
                day: formatDay(moment),
                iso: item.day || moment.toISO(),
                isAhead: moment.toISODate() > model.data.today,
            });
        }
        return months;
    }

    get hasPeople() {
        return this.props.model.data.people.length > 1;
    }

    moodText(source) {
        return source.sentiment === "bad" ? _t("Needs attention") : "";
    }
}
