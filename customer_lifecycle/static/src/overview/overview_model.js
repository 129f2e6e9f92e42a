import { KeepLast } from "@web/core/utils/concurrency";
import { Model } from "@web/model/model";

export const PERIODS = ["month", "30", "90", "365"];
const MODEL = "lifecycle.overview";
/** What comes after the first figures, each by itself. */
const PARTS = { revenue: "get_revenue", history: "get_history", work: "get_work" };

/** What the overview shows: what profiles tell first, then purchases and people's work. */
export class OverviewModel extends Model {
    setup({ state, context }) {
        this.lasts = { data: new KeepLast(), economics: new KeepLast() };
        Object.keys(PARTS).forEach((name) => (this.lasts[name] = new KeepLast()));
        this.options = { period: "30", against: "before" };
        this.status = "loading";
        this.error = "";
        this.parts = {};
        this.adopt(context);
        if (state) {
            // back from a list: what was there stands there at once, and is renewed meanwhile
            Object.assign(this, state, { status: state.data ? "ready" : "loading" });
        }
    }

    /** Take over what a favorite says. */
    adopt(context = {}) {
        const wish = context.lifecycle_overview;
        const text = JSON.stringify(wish);
        if (wish && text !== this.wished) {
            this.options = { ...this.options, ...wish };
        }
        this.wished = text;
    }

    exportState() {
        const { options, data, parts, domain, wished, focus } = this;
        return { options, data, parts, domain, wished, focus };
    }

    exportContext() {
        return { lifecycle_overview: { ...this.options } };
    }

    /** Not awaited: the search bar must not wait for the figures. */
    async load({ domain, context }) {
        this.domain = domain;
        this.adopt(context);
        this.reload();
    }

    async reload() {
        if (!this.data) {
            this.status = "loading";
        }
        this.isBusy = true;
        this.notify();
        try {
            this.data = await this.lasts.data.add(this.call("get_overview"));
            this.status = "ready";
        } catch (error) {
            this.status = "error";
            this.data = null;
            this.error = error.data?.message || error.message;
        }
        this.isBusy = false;
        this.notify();
        if (this.data?.total) {
            for (const [name, method] of Object.entries(PARTS)) {
                this.loadPart(name, () => this.call(method));
            }
            if (this.data.is_manager) {
                this.loadPart("economics", () => this.callEconomics());
            }
        }
    }

    /** A part that comes later, and may fail by itself. */
    async loadPart(name, call) {
        this.parts[name] = { ...this.parts[name], isBusy: true, error: false };
        this.notify();
        try {
            this.parts[name] = { data: await this.lasts[name].add(call()) };
        } catch (error) {
            this.parts[name] = { error: error.data?.message || error.message };
        }
        this.notify();
    }

    call(method) {
        return this.orm.silent.call(MODEL, method, [this.domain, this.bounds]);
    }

    /** What getting costs against keeping, of the last 12 months whatever the period is. */
    callEconomics() {
        return this.orm.silent.call("lifecycle.economics", "get_overview", [
            [["month", ">=", "=1d -11m"]],
        ]);
    }

    // ----- CHOICES -----

    /** The period as the server wants it. */
    get bounds() {
        const { period } = this.options;
        return period === "month" ? { month: true } : { days: Number(period) };
    }

    choosePeriod(period) {
        this.options = { ...this.options, period };
        this.reload();
    }

    chooseAgainst(against) {
        this.options = { ...this.options, against };
        this.notify();
    }

    // ----- CUSTOMERS BEHIND A NUMBER -----

    get company() {
        return [["company_id", "=", this.data.company_id]];
    }

    /** Customers behind one of the numbers that have a key. */
    cell(name) {
        return [...this.company, ["overview_cell", "=", this.data.cells[name]]];
    }

    /** Customers who moved a certain way between two days. */
    moved(kind, start, end) {
        return [...this.company, ["overview_cell", "=", [kind, start, end].join(":")]];
    }

    firstOrder(start, end) {
        return [
            ...this.company,
            ["first_order_date", ">=", start],
            ["first_order_date", "<=", end],
        ];
    }
}
